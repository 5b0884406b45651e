import { expect, test } from "vitest";

import type { RecoveredView } from "../backend/bindings";
import { foundWarnings } from "./found-words";

const NOW = 1_000_000_000;
const FOUND: RecoveredView = { identity: "7f", nickname: "alice", is_restore_only: false, newest: NOW - 2, number: 16, confirmed: 2, of: 3, newer: null, unread: null, index_missing: 0, older_missing: 0, is_sure: true, snapshots: 1, files: 1, folders: 0 };

test("nothing is said where nothing newer can exist", () => {
  expect(foundWarnings(FOUND, NOW)).toEqual([]);
});

test("newer versions are named by number", () => {
  const warnings = foundWarnings(
    { ...FOUND, newer: { number: 18, written_at: null, is_of_another: false }, unread: { number: 17, written_at: NOW - 1, is_of_another: false }, is_sure: false },
    NOW,
  );
  expect(warnings).toHaveLength(3);
  expect(warnings[0]).toMatch(/no\. 17 .*lists could not be had/);
  expect(warnings[1]).toMatch(/no\. 18, .*did not answer/);
});

test("what is missing of the lists is said", () => {
  const warnings = foundWarnings({ ...FOUND, index_missing: 1, older_missing: 2 }, NOW);
  expect(warnings).toHaveLength(2);
  expect(warnings[0]).toMatch(/some files cannot be restored/);
  expect(warnings[1]).toMatch(/older versions could not be had/);
});

test("it is said of which machine", () => {
  const missed = { number: 5, written_at: NOW, is_of_another: true };
  for (const warning of foundWarnings({ ...FOUND, newer: missed, unread: missed }, NOW)) {
    expect(warning).toMatch(/another of your computers, no\. 5/);
  }
});
