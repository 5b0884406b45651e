/** The node's last word about everything; replaced as a whole, at most four times a second. */
import { backend } from "../backend/backend";
import type { StatusView } from "../backend/bindings";

let view = $state.raw<StatusView | null>(null);

export const status = {
  /** Null until the node runs and has answered. */
  get view(): StatusView | null {
    return view;
  },
  /** A network on this computer only: nothing is safe in it. */
  get isPractice(): boolean {
    return view?.scope === "loopback";
  },
  take(next: StatusView | null): void {
    view = next;
  },
  async load(): Promise<void> {
    view = await backend().call("status", {});
  },
};
