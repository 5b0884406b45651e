/** What a restore will do, said before it begins: which version, what of it, and where it lands. */
import type { FoundView, SnapshotView } from "../backend/bindings";
import { nameOf } from "./paths";

/** A thing below a version. */
export interface Thing {
  path: string;
  isFolder: boolean;
}

/** What comes back of one version. */
export interface RestorePart {
  snapshot: string;
  /** The folder that it is a version of. */
  folder: string;
  taken_at: number;
  /** Files in the whole version, where that is known. */
  files: number | null;
  /** What was chosen; all of it when empty. */
  only: readonly Thing[];
}

export interface Landing {
  path: string;
  isFolder: boolean;
}

/** Where the things of a part will be; the folder that they come into where it is all of it. */
export function landings(part: RestorePart, to: string | null): Landing[] {
  const root = to ?? part.folder;
  if (part.only.length === 0) return [{ path: root, isFolder: true }];
  return part.only.map(({ path, isFolder }) => ({ path: `${root}/${path}`, isFolder }));
}

/** Files that a part should bring, where that can be said. */
export function expectedOf(part: RestorePart): number | null {
  if (part.only.length === 0) return part.files;
  return part.only.some((thing) => thing.isFolder) ? null : part.only.length;
}

/** An ending is no longer than this. */
const ENDING_MAX = 16;

/** The name that a restored file gets beside one that has its name; as the node gives it. */
export function besideName(path: string): string {
  const name = nameOf(path);
  const dot = name.lastIndexOf(".");
  const cut = dot > 0 && name.length - dot <= ENDING_MAX ? dot : name.length;
  return `${name.slice(0, cut)} (restored)${name.slice(cut)}`;
}

/** One file as it is in one version. */
export function partOf({ snapshot, folder, taken_at, path, entry }: FoundView): RestorePart {
  return { snapshot, folder, taken_at, files: null, only: [{ path, isFolder: entry.kind === "directory" }] };
}

/** A whole version. */
export function wholeOf({ id, path, taken_at, files }: SnapshotView): RestorePart {
  return { snapshot: id, folder: path, taken_at, files, only: [] };
}
