import { beforeEach, expect, test } from "vitest";

import { preferences } from "../state/preferences.svelte";
import { backupEnd } from "./backup-end";

beforeEach(() => {
  preferences.language = "en";
});

const stored = { kind: "stored", confirmed: 3, needed: 5 } as const;
const said = (owed: string[]): string => backupEnd({ protection: stored, owed })?.sentences.join(" ") ?? "";

test("who is owed something is named, and many are counted", () => {
  expect(backupEnd({ protection: stored, owed: [] })?.title).toBe("Backed up, but not safe yet");
  expect(said([])).toBe("3 of the 5 people needed have confirmed it.");
  expect(said(["bob · 7f3a 91c2"])).toBe("3 of the 5 people needed have confirmed it. bob gets the rest once online.");
  expect(said(["ann · 1", "bob · 2", "cy · 3"])).toMatch(/ann, bob,? and cy get the rest once online\.$/);
  expect(said(["a", "b", "c", "d"])).toContain("4 people get the rest once online.");
});

test("other folders without a backup are told", () => {
  expect(backupEnd({ protection: { kind: "partly", missing: 2 }, owed: [] })).toEqual({ title: "Backed up", sentences: ["2 other folders are not backed up yet."] });
});

test("nothing is told of an end with which all is well, nor of other jobs", () => {
  expect(backupEnd({ protection: { kind: "safe" }, owed: [] })).toBeNull();
  expect(backupEnd({ protection: null, owed: [] })).toBeNull();
});
