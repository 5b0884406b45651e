/** How a folder that somebody wants to add lies to the folders that are there already. */
import type { FolderView } from "../backend/bindings";

export type Overlap = { kind: "apart" } | { kind: "same"; folder: FolderView } | { kind: "inside"; folder: FolderView } | { kind: "around"; folders: FolderView[] };

export function overlapOf(path: string, folders: readonly FolderView[]): Overlap {
  const own = partsOf(path);
  const around: FolderView[] = [];
  let outer: FolderView | null = null;
  for (const folder of folders) {
    const parts = partsOf(folder.path);
    if (!begins(own, parts) && !begins(parts, own)) continue;
    if (parts.length === own.length) return { kind: "same", folder };
    if (parts.length > own.length) around.push(folder);
    else outer = folder;
  }
  if (outer !== null) return { kind: "inside", folder: outer };
  return around.length > 0 ? { kind: "around", folders: around } : { kind: "apart" };
}

/** Windows does not care about the case of letters; a drive says that it is Windows. */
function partsOf(path: string): string[] {
  const isWindows = /^[a-z]:/i.test(path);
  const parts = isWindows ? path.toLowerCase().split(/[/\\]/) : path.split("/");
  return parts.filter(Boolean);
}

function begins(whole: readonly string[], start: readonly string[]): boolean {
  return start.every((part, index) => whole[index] === part);
}
