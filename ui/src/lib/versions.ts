/** Versions as a time line: of one folder, newest first, in groups that a person thinks in. */
import type { SnapshotView } from "../backend/bindings";
import { never } from "./never";

/** A stretch of time that gets wider the longer it is ago. Times begin a day. */
export type Stretch = { kind: "today" | "yesterday" | "day" | "month"; from: number } | { kind: "week"; from: number; to: number };

export type TimeRow = { kind: "stretch"; stretch: Stretch; count: number } | { kind: "version"; version: SnapshotView; isNewest: boolean; isRecent: boolean };

/** Days that are shown one by one, and days that are shown by weeks after them. */
const DAYS = 7;
const DAYS_BY_WEEK = 35;

/** The folders that have versions, by the newest one. */
export function foldersOf(versions: readonly SnapshotView[]): string[] {
  return newestOfEach(versions).map((version) => version.path);
}

/** The newest version of each folder. */
export function newestOfEach(versions: readonly SnapshotView[]): SnapshotView[] {
  const newest = new Map<string, SnapshotView>();
  for (const version of newestFirst(versions)) if (!newest.has(version.path)) newest.set(version.path, version);
  return [...newest.values()];
}

/** The versions of one folder. */
export function versionsOf(versions: readonly SnapshotView[], folder: string): SnapshotView[] {
  return newestFirst(versions).filter((version) => version.path === folder);
}

/** Rows for versions that are sorted already; each stretch opens with a heading. */
export function timeLine(versions: readonly SnapshotView[], now: number): TimeRow[] {
  const rows: TimeRow[] = [];
  let open: Extract<TimeRow, { kind: "stretch" }> | null = null;
  for (const [index, version] of versions.entries()) {
    // A time that cannot be right opens no stretch of its own.
    const stretch: Stretch = version.is_clock_suspect && open !== null ? open.stretch : stretchOf(version.taken_at, now);
    if (open === null || open.stretch.kind !== stretch.kind || open.stretch.from !== stretch.from) {
      open = { kind: "stretch", stretch, count: 0 };
      rows.push(open);
    }
    open.count += 1;
    rows.push({ kind: "version", version, isNewest: index === 0, isRecent: isOneDay(stretch) && !version.is_clock_suspect });
  }
  return rows;
}

/** The start of the day of a time, in the time zone of the window. */
export function dayOf(at: number): number {
  const day = new Date(at);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime();
}

function stretchOf(at: number, now: number): Stretch {
  const from = dayOf(at);
  const age = daysBetween(from, dayOf(now));
  if (age <= 0) return { kind: "today", from: dayOf(now) };
  if (age === 1) return { kind: "yesterday", from };
  if (age < DAYS) return { kind: "day", from };
  const monday = shifted(from, -((new Date(from).getDay() + 6) % 7));
  if (daysBetween(monday, dayOf(now)) < DAYS_BY_WEEK) return { kind: "week", from: monday, to: shifted(monday, 6) };
  const day = new Date(from);
  return { kind: "month", from: new Date(day.getFullYear(), day.getMonth(), 1).getTime() };
}

function isOneDay({ kind }: Stretch): boolean {
  switch (kind) {
    case "today":
    case "yesterday":
    case "day":
      return true;
    case "week":
    case "month":
      return false;
    default:
      return never(kind);
  }
}

/** Days of 23 and 25 hours count as days. */
function daysBetween(day: number, later: number): number {
  return Math.round((later - day) / 86_400_000);
}

function shifted(day: number, days: number): number {
  const at = new Date(day);
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() + days).getTime();
}

/** The node lists the oldest first, and knows which times to believe. */
function newestFirst(versions: readonly SnapshotView[]): SnapshotView[] {
  return [...versions].reverse();
}
