import { expect, test } from "vitest";

import { rowAfter, soughtBy, typedOn } from "./list-keys";

test("keys move within the list and never beyond its ends", () => {
  const at = { index: 5, count: 1_000_000, page: 20 };
  expect(rowAfter("ArrowDown", at)).toBe(6);
  expect(rowAfter("ArrowUp", { ...at, index: 0 })).toBe(0);
  expect(rowAfter("PageDown", at)).toBe(24);
  expect(rowAfter("PageUp", at)).toBe(0);
  expect(rowAfter("Home", at)).toBe(0);
  expect(rowAfter("End", at)).toBe(999_999);
  expect(rowAfter("Enter", at)).toBeNull();
  expect(rowAfter("ArrowDown", { index: 0, count: 0, page: 0 })).toBeNull();
});

test("letters that follow fast are one word, a pause begins a new one", () => {
  const first = typedOn({ text: "", at: -10_000 }, "N", 0);
  const second = typedOn(first, "o", 400);
  expect(soughtBy(second)).toEqual({ start: "no", skips: false });
  expect(soughtBy(typedOn(second, "x", 2_000))).toEqual({ start: "x", skips: true });
});

test("one letter again and again goes on", () => {
  expect(soughtBy({ text: "nnn", at: 0 })).toEqual({ start: "n", skips: true });
});
