/** Folders that were dropped or chosen and are asked about, one after the other. */
let waiting = $state.raw<readonly string[]>([]);

export const folderQueue = {
  /** The folder that is asked about now. */
  get first(): string | null {
    return waiting[0] ?? null;
  },
  add(paths: readonly string[]): void {
    waiting = [...new Set([...waiting, ...paths])];
  },
  /** The first one was added or left. */
  next(): void {
    waiting = waiting.slice(1);
  },
};
