/** Short messages over the window: what was done, and what a call failed with. */
import { asApiError } from "../backend/backend";
import type { ErrorCode } from "../backend/bindings";

export type Notice = { id: number } & ({ kind: "said"; message: string } | { kind: "failed"; code: ErrorCode; detail: string });

const SHOWN = 4;
/** How long good news stays, in milliseconds; failures stay until they are dismissed. */
const SAID_FOR = 8_000;
let list = $state<Notice[]>([]);
let last = 0;

export const notices = {
  get list(): readonly Notice[] {
    return list;
  },
  /** Something was done. */
  say(message: string): void {
    const id = ++last;
    add({ id, kind: "said", message });
    setTimeout(() => notices.dismiss(id), SAID_FOR);
  },
  /** A call failed; the view says by code what that means. */
  report(error: unknown): void {
    const { code, message } = asApiError(error);
    if (code === "cancelled") return;
    add({ id: ++last, kind: "failed", code, detail: message });
  },
  dismiss(id: number): void {
    list = list.filter((notice) => notice.id !== id);
  },
};

function add(notice: Notice): void {
  list = [...list, notice].slice(-SHOWN);
}

/** Awaits a promise for its effect; a failure is shown, not thrown. Gives whether it went well. */
export async function attempt(promise: Promise<unknown>): Promise<boolean> {
  try {
    await promise;
    return true;
  } catch (error) {
    notices.report(error);
    return false;
  }
}
