import { expect, test } from "vitest";

import { besideName, expectedOf, landings, type RestorePart } from "./restore-plan";

const whole: RestorePart = { snapshot: "a", folder: "/home/alice/Pictures", taken_at: 0, files: 40, only: [] };
const some: RestorePart = { ...whole, only: [{ path: "2026/a.jpg", isFolder: false }, { path: "notes.txt", isFolder: false }] };

test("a whole version lands in its folder or in the one that was picked", () => {
  expect(landings(whole, null)).toEqual([{ path: "/home/alice/Pictures", isFolder: true }]);
  expect(landings(whole, "/tmp/here")).toEqual([{ path: "/tmp/here", isFolder: true }]);
});

test("chosen things keep the folders that they were in", () => {
  expect(landings(some, null).map(({ path }) => path)).toEqual(["/home/alice/Pictures/2026/a.jpg", "/home/alice/Pictures/notes.txt"]);
  expect(landings(some, "/tmp/here").map(({ path }) => path)).toEqual(["/tmp/here/2026/a.jpg", "/tmp/here/notes.txt"]);
});

test("how many files should come is said only where it is known", () => {
  expect(expectedOf(whole)).toBe(40);
  expect(expectedOf(some)).toBe(2);
  expect(expectedOf({ ...some, only: [{ path: "2026", isFolder: true }] })).toBeNull();
});

test("a name beside keeps its ending", () => {
  expect(besideName("2026/a.jpg")).toBe("a (restored).jpg");
  expect(besideName(".profile")).toBe(".profile (restored)");
  expect(besideName("Makefile")).toBe("Makefile (restored)");
});
