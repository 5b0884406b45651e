import { describe, expect, it } from "vitest";

import { defaultCode, meaningOf, parseCode } from "./codes";

describe("defaultCode", () => {
  it.each([
    [0, null],
    [1, [1, 1]],
    [2, [1, 2]],
    [3, [1, 3]],
    [4, [2, 4]],
    [5, [2, 5]],
    [6, [2, 6]],
    [7, [3, 7]],
    [9, [3, 9]],
    [10, [4, 10]],
    [19, [4, 19]],
    [20, [8, 20]],
    [29, [8, 29]],
    [30, [10, 30]],
    [200, [10, 30]],
  ])("%i people → %j", (people, code) => {
    expect(defaultCode(people)).toEqual(code);
  });
});

it("says how many are enough and how many may fail", () => {
  expect(meaningOf([2, 6])).toEqual({ enough: 2, people: 6, mayFail: 4 });
  expect(meaningOf([1, 1])).toEqual({ enough: 1, people: 1, mayFail: 0 });
});

it("reads codes as the settings write them", () => {
  expect(parseCode("3/6")).toEqual([3, 6]);
  for (const bad of ["default", "", "6/3", "0/3", "10/31", "a/b"]) expect(parseCode(bad)).toBeNull();
});
