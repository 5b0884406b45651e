import { expect, test } from "vitest";

import { isOddTime } from "./odd-times";

const now = new Date(2026, 2, 14, 10).getTime();
const version = (id: string, is_clock_suspect: boolean) => ({ id, path: "/x", device: "", taken_at: now, is_clock_suspect, files: 1, bytes: 1, problems: 0, kept: null });
const all = [version("good", false), version("odd", true)];

test("a time is odd where the node doubts it, or where it is yet to come", () => {
  expect(isOddTime("good", now, all, now)).toBe(false);
  expect(isOddTime("odd", now - 86_400_000, all, now)).toBe(true);
  expect(isOddTime("good", now + 400 * 86_400_000, all, now)).toBe(true);
  expect(isOddTime("unknown", now + 60_000, all, now)).toBe(false);
});
