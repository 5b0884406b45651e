/** Dialogs of the way back, the one on top last: a preview may lie over a file's versions. */
import type { FoundView } from "../backend/bindings";
import type { RestorePart } from "../lib/restore-plan";

export type RestoreDialogView =
  | { kind: "search" }
  | { kind: "preview"; file: FoundView }
  | { kind: "versions"; file: FoundView }
  | { kind: "restore"; parts: readonly RestorePart[]; to: string | null };

let open = $state.raw<readonly RestoreDialogView[]>([]);

export const restoreDialogs = {
  get list(): readonly RestoreDialogView[] {
    return open;
  },
  show(dialog: RestoreDialogView): void {
    open = [...open, dialog];
  },
  /** Closes the one on top. */
  close(): void {
    open = open.slice(0, -1);
  },
  closeAll(): void {
    open = [];
  },
};
