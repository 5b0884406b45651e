import { expect, test } from "vitest";

import { rowsInView } from "./rows";

test("only rows near the view are drawn", () => {
  expect(rowsInView({ count: 100_000, rowHeight: 40, scrollTop: 40_000, height: 400 })).toEqual({ start: 994, end: 1016 });
});

test("the ends of the list are kept", () => {
  expect(rowsInView({ count: 5, rowHeight: 40, scrollTop: 0, height: 400 })).toEqual({ start: 0, end: 5 });
  expect(rowsInView({ count: 0, rowHeight: 40, scrollTop: 0, height: 400 })).toEqual({ start: 0, end: 0 });
});

test("a list that became shorter shows its end", () => {
  const { start, end } = rowsInView({ count: 10, rowHeight: 40, scrollTop: 40_000, height: 400 });
  expect(start).toBeLessThan(10);
  expect(end).toBe(10);
});
