import { expect, test } from "vitest";

import { folder, MINUTE, statusOf } from "../backend/scenes/people";
import { folderFacts, folderWords } from "./folder-words";

const NOW = Date.now();

test("a moment that has passed is not promised", () => {
  const late = { due_at: NOW - 5 * MINUTE, retry_at: NOW - 5 * MINUTE };
  expect(folderWords(folder("/a", { state: { kind: "changed", due_at: late.due_at } }), NOW).more).toEqual(["It is backed up as soon as its turn comes."]);
  expect(folderWords(folder("/a", { state: { kind: "failed", error: "disk_full", retry_at: late.retry_at } }), NOW).more[0]).toBe("The disk is full. It is tried again as soon as its turn comes.");
  expect(folderFacts(folder("/a", { next_backup: late.due_at }), NOW).join()).not.toContain("Looked through");
});

test("a failed backup says why, when it is tried again and what helps", () => {
  const words = folderWords(folder("/a", { state: { kind: "failed", error: "too_few_suppliers", retry_at: NOW + 5 * MINUTE } }), NOW);
  expect(words.more).toEqual(["There are too few suppliers. It is tried again in 5 minutes.", "Invite friends or find people."]);
});

test("a folder with problems is not called up to date", () => {
  const words = (change: Parameters<typeof folder>[1]) => statusOf({ folders: [folder("/a", change)] }).folders.map((one) => folderWords(one, NOW))[0];
  expect(words({ problems: 3 })).toEqual({ tone: "warn", label: "Backed up, except for 3 things", more: [] });
  expect(words({ problems: 3, state: { kind: "changed", due_at: NOW - 1 } })).toEqual({ tone: "warn", label: "Backed up, except for 3 things", more: ["It is backed up as soon as its turn comes."] });
  expect(words({})?.tone).toBe("good");
});

test("a folder that not all people have confirmed does not look safe", () => {
  const few = statusOf({ protection: { kind: "stored", confirmed: 4, needed: 6 }, folders: [folder("/a")] });
  expect(few.folders.map((one) => folderWords(one, NOW))).toEqual([{ tone: "warn", label: "Stored with 4 of 6", more: [] }]);
});

test("what is left out and who has confirmed it is said", () => {
  const facts = folderFacts(folder("/a", { excludes: ["Downloads/", "*.bak", "old/"], protection: { kind: "stored", confirmed: 4, needed: 6 } }), NOW);
  expect(facts).toContain("Left out: Downloads and 2 patterns of your own");
  expect(facts).toContain("4 of 6 people have confirmed it");
});

test("a folder that leaves out other disks says so", () => {
  expect(folderFacts(folder("/a", { crosses_mounts: false }), NOW)).toContain("Without other disks inside it");
  expect(folderFacts(folder("/a"), NOW)).not.toContain("Without other disks inside it");
});
