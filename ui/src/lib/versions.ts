/** Versions as a time line: of one folder, newest first, in groups that a person thinks in. */
import type { SnapshotView } from "../backend/bindings";

export interface VersionRow {
  version: SnapshotView;
  /** The month it begins, where it is the first of it. */
  opens: boolean;
}

/** The folders that have versions, by the newest one. */
export function foldersOf(versions: readonly SnapshotView[]): string[] {
  return [...new Set(newestFirst(versions).map((version) => version.path))];
}

/** The rows of one folder's time line. */
export function timeLine(versions: readonly SnapshotView[], folder: string): VersionRow[] {
  const own = newestFirst(versions).filter((version) => version.path === folder);
  return own.map((version, index) => {
    const newer = own[index - 1];
    return { version, opens: newer === undefined || month(newer) !== month(version) };
  });
}

function newestFirst(versions: readonly SnapshotView[]): SnapshotView[] {
  return [...versions].sort((one, other) => other.taken_at - one.taken_at);
}

function month(version: SnapshotView): string {
  const at = new Date(version.taken_at);
  return `${at.getFullYear()}-${at.getMonth()}`;
}
