import { describe, expect, it } from "vitest";

import type { SnapshotView } from "../backend/bindings";
import { foldersOf, newestOfEach, timeLine, versionsOf } from "./versions";

function version(id: string, path: string, taken_at: number): SnapshotView {
  return { id, path, taken_at, device: "", is_clock_suspect: false, files: 1, bytes: 1, problems: 0, kept: null };
}

/** A day of March 2026 by the clock of this machine. */
function march(day: number, hour = 12): number {
  return new Date(2026, 2, day, hour).getTime();
}

/** A Saturday. */
const now = march(14, 10);

function words(days: readonly number[]): string[] {
  return timeLine(
    days.map((at, index) => version(String(index), "/x", at)),
    now,
  ).map((row) => (row.kind === "version" ? row.version.id : `${row.stretch.kind} ${new Date(row.stretch.from).getDate()} (${row.count})`));
}

describe("the time line", () => {
  it("knows the folders and the newest version of each", () => {
    const all = [version("a", "/x", march(1)), version("b", "/y", march(2)), version("c", "/x", march(3))];
    expect(foldersOf(all)).toEqual(["/x", "/y"]);
    expect(newestOfEach(all).map(({ id }) => id)).toEqual(["c", "b"]);
    expect(versionsOf(all, "/x").map(({ id }) => id)).toEqual(["c", "a"]);
  });

  it("believes the node which version is the newest, and gives a time that cannot be right no day of its own", () => {
    const odd = { ...version("odd", "/x", march(1) + 400 * 86_400_000), is_clock_suspect: true };
    const newest = versionsOf([version("old", "/x", march(12)), odd, version("new", "/x", march(13))], "/x");
    expect(newest.map(({ id }) => id)).toEqual(["new", "odd", "old"]);
    const rows = timeLine(newest, now).map((row) => (row.kind === "version" ? `${row.version.id} ${row.isRecent}` : `${row.stretch.kind} (${row.count})`));
    expect(rows).toEqual(["yesterday (2)", "new true", "odd false", "day (1)", "old true"]);
  });

  it("goes by day, then by week, then by month", () => {
    expect(words([march(14, 9), march(14, 0), march(13, 23), march(12), march(8), march(7), march(2), march(1), new Date(2026, 1, 3).getTime(), new Date(2025, 11, 24).getTime()])).toEqual([
      "today 14 (2)",
      "0",
      "1",
      "yesterday 13 (1)",
      "2",
      "day 12 (1)",
      "3",
      "day 8 (1)",
      "4",
      "week 2 (2)",
      "5",
      "6",
      "week 23 (1)",
      "7",
      "month 1 (1)",
      "8",
      "month 1 (1)",
      "9",
    ]);
  });

  it("marks the newest, and takes a time that a wrong clock wrote as today", () => {
    const [heading, newest, older] = timeLine([version("ahead", "/x", march(20)), version("old", "/x", march(1))], now);
    expect(heading).toMatchObject({ stretch: { kind: "today" } });
    expect(newest).toMatchObject({ isNewest: true, isRecent: true });
    expect(older).toMatchObject({ kind: "stretch" });
    expect(timeLine([], now)).toEqual([]);
  });
});
