import { beforeEach, describe, expect, test } from "vitest";

import { preferences } from "../state/preferences.svelte";
import { baseName, bytes, bytesOf, duration, list, percent, relative } from "./format";

beforeEach(() => {
  preferences.language = "en";
});

describe("bytes", () => {
  test.each([
    [0, "0 bytes"],
    [1, "1 byte"],
    [999, "999 bytes"],
    [1000, "1 kB"],
    [12_400_000_000, "12.4 GB"],
    [999_960_000, "1 GB"],
    [214_000_000_000, "214 GB"],
    [3.2e15, "3.2 PB"],
  ])("%d is %s", (count, words) => expect(bytes(count)).toBe(words));

  test("are written as German does", () => {
    preferences.language = "de";
    expect(bytes(12_400_000_000)).toBe("12,4\u00a0GB");
  });

  test("of a whole share the unit where they can", () => {
    expect(bytesOf(3_100_000_000, 12_400_000_000)).toEqual({ part: "3.1", whole: "12.4 GB" });
    expect(bytesOf(310_000_000, 12_400_000_000)).toEqual({ part: "310 MB", whole: "12.4 GB" });
  });
});

test("a share is never rounded up to a whole", () => {
  expect(percent(0.9999)).toBe("99%");
  expect(percent(0.99996, 2)).toBe("99.99%");
  expect(percent(1)).toBe("100%");
});

describe("times", () => {
  const now = Date.UTC(2026, 2, 14, 12);
  test.each([
    [-10_000, "now"],
    [-12 * 60_000, "12 minutes ago"],
    [3 * 3_600_000, "in 3 hours"],
    [-86_400_000, "yesterday"],
    [-14 * 86_400_000, "14 days ago"],
    [-60 * 86_400_000, "2 months ago"],
    [-800 * 86_400_000, "2 years ago"],
  ])("%d ms away is %s", (away, words) => expect(relative(now + away, now)).toBe(words));
});

describe("durations", () => {
  test.each([
    [0, "1 sec"],
    [42, "42 sec"],
    [60, "1 min"],
    [3_600, "1 hr"],
    [5_000, "1 hr 23 min"],
    [90_000, "1 day 1 hr"],
  ])("%d s is %s", (seconds, words) => expect(duration(seconds)).toBe(words));
});

test("lists and base names", () => {
  expect(list(["a", "b", "c"])).toBe("a, b, and c");
  expect(baseName("/home/alice/Pictures/")).toBe("Pictures");
  expect(baseName("C:\\Users\\alice")).toBe("alice");
  expect(baseName("/")).toBe("/");
});
