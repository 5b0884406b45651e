import { describe, expect, it } from "vitest";

import { offerFault, offerScale, stepOf, toUnit } from "./offer-scale";

const GB = 1e9;

describe("offerScale", () => {
  it("goes in 1, 2, 5 up to what is free", () => {
    expect(offerScale(0, 80 * GB).steps.map((step) => step / GB)).toEqual([0, 1, 2, 5, 10, 20, 50, 80]);
  });

  it("never goes below what others use, and counts that as room", () => {
    expect(offerScale(7 * GB, 13 * GB).steps.map((step) => step / GB)).toEqual([7, 10, 20]);
  });

  it("has finer steps on a small disk", () => {
    expect(offerScale(0, 3e8).steps).toEqual([0, 1e7, 2e7, 5e7, 1e8, 2e8, 3e8]);
  });

  it("has one step on a full disk", () => {
    expect(offerScale(0, 0).steps).toEqual([0]);
    expect(offerScale(5 * GB, 0).steps).toEqual([5 * GB]);
  });

  it("says where the limit is not known", () => {
    const scale = offerScale(0, null);
    expect(scale.isLimitKnown).toBe(false);
    expect(scale.steps.at(-1)).toBe(10e12);
  });

  it("rises, whatever the disk", () => {
    for (const [used, free] of [[0, 1], [0, 999_999_999], [123_456_789, 4.2e12], [3e12, 17], [1e9, 0]] as const) {
      const { steps } = offerScale(used, free);
      expect([...steps].sort((a, b) => a - b)).toEqual(steps);
      expect(new Set(steps).size).toBe(steps.length);
    }
  });
});

it("finds the nearest step", () => {
  const scale = offerScale(0, 80 * GB);
  expect(stepOf(scale, 0)).toBe(0);
  expect(stepOf(scale, 11 * GB)).toBe(4);
  expect(stepOf(scale, 500 * GB)).toBe(7);
});

it("knows what cannot be offered", () => {
  expect(offerFault(4 * GB, 5 * GB, 100 * GB)).toBe("below_used");
  expect(offerFault(106 * GB, 5 * GB, 100 * GB)).toBe("above_free");
  expect(offerFault(105 * GB, 5 * GB, 100 * GB)).toBeNull();
  expect(offerFault(1e15, 0, null)).toBeNull();
});

it("shows bytes in the unit that fits", () => {
  expect(toUnit(0)).toEqual({ amount: 0, unit: "GB" });
  expect(toUnit(1.5e12)).toEqual({ amount: 1.5, unit: "TB" });
  expect(toUnit(250e6)).toEqual({ amount: 250, unit: "MB" });
  expect(toUnit(1_234_567_890)).toEqual({ amount: 1.234, unit: "GB" });
});
