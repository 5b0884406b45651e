import { describe, expect, it } from "vitest";

import type { HistoryLine } from "../backend/bindings";
import { dayName, isFiltered, NO_FILTER, rowsOf, withNewer } from "./activity";

const line = (number: number, at: Date): HistoryLine => ({ number, at: at.getTime(), severity: "note", happening: { kind: "other" }, message: "" });

it("has a row for each day before its lines", () => {
  const rows = rowsOf([line(3, new Date(2026, 2, 14, 9)), line(2, new Date(2026, 2, 14, 0, 1)), line(1, new Date(2026, 2, 13, 23, 59))]);
  expect(rows.map((row) => (row.kind === "day" ? "day" : row.line.number))).toEqual(["day", 3, 2, "day", 1]);
});

it("groups a hundred thousand lines in a moment", () => {
  const start = new Date(2026, 2, 14, 9).getTime();
  const lines = Array.from({ length: 100_000 }, (_, index) => line(100_000 - index, new Date(start - index * 60_000)));
  expect(rowsOf(lines).length).toBe(100_000 + 71);
});

describe("dayName", () => {
  const now = new Date(2026, 2, 1, 0, 30).getTime();
  it.each([
    [new Date(2026, 2, 1, 0, 5), "today"],
    [new Date(2026, 1, 28, 23, 55), "yesterday"],
    [new Date(2026, 1, 27, 12), "other"],
  ])("of %s is %s", (at, name) => {
    expect(dayName(at.getTime(), now)).toBe(name);
  });
});

it("takes newer lines once", () => {
  const at = new Date(0);
  const numbers = withNewer([line(2, at), line(1, at)], [line(4, at), line(3, at), line(2, at)]).map(({ number }) => number);
  expect(numbers).toEqual([4, 3, 2, 1]);
});

it("knows whether a filter filters", () => {
  expect(isFiltered(NO_FILTER)).toBe(false);
  expect(isFiltered({ severity: "all", text: " " })).toBe(false);
  expect(isFiltered({ severity: "problem", text: "" })).toBe(true);
});
