import { beforeEach, describe, expect, test } from "vitest";

import type { JobPhase } from "../backend/bindings";
import { job, statusOf } from "../backend/scenes/people";
import { preferences } from "../state/preferences.svelte";
import { jobWords } from "./job-words";

beforeEach(() => {
  preferences.language = "en";
});

const progress = { files_done: 3_291, files_total: 8_214, bytes_done: 16.6e9, bytes_total: 41.6e9, bytes_moved: 0 };

test("a backup that moves says how far, how fast and how long", () => {
  const words = jobWords(job({ phase: { kind: "reading" }, progress, bytes_per_second: 4.1e6, remaining_seconds: 6_100 }), null);
  expect(words.title).toBe("Backing up Pictures");
  expect(words.value).toBeCloseTo(0.399);
  expect(words.figures).toEqual(["16.6 of 41.6 GB", "3,291 of 8,214 files", "4.1 MB/s", "about 1 hr 42 min left"]);
});

test("a job that waits says for what, and promises no time", () => {
  const words = jobWords(job({ phase: { kind: "waiting_for_confirmations", confirmed: 3, need: 5, away: [] }, progress, bytes_per_second: 0, remaining_seconds: 10 }), null);
  expect(words.waits).toBe(true);
  expect(words.phase).toContain("3 of 5 have confirmed");
  const named = jobWords(job({ phase: { kind: "waiting_for_confirmations", confirmed: 3, need: 5, away: ["bob · 1", "cy · 2"] }, progress }), null);
  expect(named.phase).toMatch(/^Waiting for bob and cy to come online: 3 of 5/);
  expect(words.figures).toEqual(["3,291 files read, 16.6 GB"]);
});

test("a job that stands still names who or what holds it up", () => {
  const standing = (phase: JobPhase) => jobWords(job({ phase, progress, remaining_seconds: 10 }), null);
  const supplier = standing({ kind: "waiting_for_supplier", name: "bob · river-stone" });
  expect([supplier.waits, supplier.phase]).toEqual([true, "Waiting for bob · river-stone, who takes no pieces at the moment"]);
  expect(standing({ kind: "waiting_for_disk" }).phase).toContain("disk of this computer");
  expect(standing({ kind: "waiting_for_spool" }).phase).toBe("Paused: the space reserved for offline people is full.");
  expect(standing({ kind: "reading" }).waits).toBe(false);
});

test("without known sizes the end is not known", () => {
  expect(jobWords(job({ phase: { kind: "seeking" }, task: { kind: "recovery" } }), null).value).toBeNull();
  expect(jobWords(job({ phase: { kind: "waiting" } }), null).value).toBe(0);
});

test("names and paths are shown as people wrote them", () => {
  const words = jobWords(job({ task: { kind: "backup", folders: ["/home/alice/100%25 mine"], is_scheduled: true }, current: "/home/alice/100%25 mine/a%FF" }), null);
  expect([words.title, words.current]).toEqual(["Backing up 100% mine", "/home/alice/100% mine/a\uFFFD"]);
});

test("who waits for people is told whether anybody is there to agree", () => {
  const waiting = job({ phase: { kind: "waiting_for_suppliers", have: 0, need: 2 } });
  expect(jobWords(waiting, statusOf()).phase).toBe("0 of 2 have agreed.");
  expect(jobWords(waiting, statusOf({ peers: 0, suppliers: [] })).phase).toBe("You are not connected to anyone yet.");
  expect(jobWords(waiting, statusOf({ peers: 0 })).phase).toBe("You are not connected to anyone now.");
});

describe("a bar", () => {
  const all = { files_done: 8_214, files_total: 8_214, bytes_done: 41.6e9, bytes_total: 41.6e9, bytes_moved: 45.1e9 };
  const phases: JobPhase[] = [
    { kind: "reading" },
    { kind: "waiting_for_spool" },
    { kind: "waiting_for_disk" },
    { kind: "waiting_for_supplier", name: "bob" },
    { kind: "sending" },
    { kind: "waiting_for_confirmations", confirmed: 3, need: 5, away: ["bob · 1"] },
    { kind: "writing_lists" },
    { kind: "publishing" },
    { kind: "fetching" },
    { kind: "waiting_for_pieces" },
  ];
  test.each(phases)("is never full while work is left: $kind", (phase) => {
    expect(jobWords(job({ phase, progress: all }), null).value).toBeNull();
    expect(jobWords(job({ phase, progress: { ...all, files_total: 0, files_done: 0, bytes_total: 0, bytes_done: 0 } }), null).value).toBeNull();
  });

  test("stands where the reading is", () => {
    expect(jobWords(job({ phase: { kind: "waiting_for_spool" }, progress }), null).value).toBeCloseTo(0.399);
    // What is read of the files says nothing of what is sent.
    expect(jobWords(job({ phase: { kind: "sending" }, progress }), null).value).toBeNull();
  });

  test("has words for what is left", () => {
    const sending = job({ phase: { kind: "sending" }, progress: all });
    expect(jobWords(sending, statusOf()).figures).toEqual(["8,214 files read, 41.6 GB", "45.1 GB sent"]);
    expect(jobWords(sending, statusOf({ spooled_bytes: 12.3e9 })).figures).toEqual(["8,214 files read, 41.6 GB", "45.1 GB sent", "12.3 GB still to send to people who are offline"]);
  });
});
