/** Folders that were dropped or chosen and are asked about, one after the other. */
let waiting = $state.raw<readonly string[]>([]);

export const folderQueue = {
  /** The folder that is asked about now. */
  get first(): string | null {
    return waiting[0] ?? null;
  },
  /** How many come after it. */
  get after(): number {
    return Math.max(0, waiting.length - 1);
  },
  add(paths: readonly string[]): void {
    waiting = [...new Set([...waiting, ...paths.map(withoutEnd)])];
  },
  /** It was added or left; said twice, it takes no other with it. */
  leave(path: string): void {
    waiting = waiting.filter((other) => other !== path);
  },
};

/** `/home/a/` is `/home/a`; a root stays. */
function withoutEnd(path: string): string {
  const short = path.replace(/[/\\]+$/, "");
  return short === "" || short.endsWith(":") ? path : short;
}
