import { expect, test } from "vitest";

import { frameHeight, listTop, rowsInView, scrollFor } from "./rows";

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

test("the last of a million rows can be reached, though no browser draws so high a frame", () => {
  const list = { count: 1_000_000, rowHeight: 40, height: 400 };
  const bottom = frameHeight(list.count, list.rowHeight) - list.height;
  expect(frameHeight(list.count, list.rowHeight)).toBeLessThan(33_000_000);
  expect(rowsInView({ ...list, scrollTop: bottom }).end).toBe(1_000_000);
  expect(rowsInView({ ...list, scrollTop: 0 }).start).toBe(0);
  const top = 700_000 * 40;
  expect(listTop({ ...list, scrollTop: scrollFor(top, list) })).toBeCloseTo(top, 3);
});

test("in a list that fits a pixel is a pixel", () => {
  const list = { count: 1_000, rowHeight: 40, height: 400 };
  expect(frameHeight(list.count, list.rowHeight)).toBe(40_000);
  expect(scrollFor(1_234, list)).toBe(1_234);
});
