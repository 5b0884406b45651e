import { expect, test } from "vitest";

import type { JobReport } from "../backend/bindings";
import { restoreCounts, restoreWords } from "./restore-words";

function report(change: Partial<JobReport>, files_done: number): JobReport {
  const progress = { files_done, files_total: files_done, bytes_done: 0, bytes_total: 0, bytes_moved: 0 };
  return { outcome: "complete", progress, snapshots: [], problems: [], problems_unlisted: 0, remarks: [], new_bytes: 0, packed_bytes: 0, error: null, message: null, verified: null, protection: null, owed: [], ...change };
}

const lost = { path: [47, 97], code: "too_few_shards" as const, detail: "" };

test("what failed is not counted as back", () => {
  const words = restoreWords(report({ outcome: "partial", problems: [lost], problems_unlisted: 3 }, 100), 100);
  expect(words.title).toBe("4 files could not be restored");
  expect(words.counts).toEqual(["96 files are back."]);
});

test("a stopped restore says that it was taken back", () => {
  const words = restoreWords(report({ outcome: "cancelled", error: "cancelled" }, 30), 100);
  expect(words.counts).toEqual(["What it had brought back was removed again, unless it was changed since. Files that it had replaced stay replaced."]);
});

test("a failed restore says nothing about a rest that nobody knows", () => {
  const failed = report({ outcome: "failed", error: "disk_full" }, 30);
  expect(restoreCounts(failed, null)).toEqual({ back: 30, failed: 0, left: null });
  expect(restoreWords(failed, null).counts).toEqual(["30 files are back.", "The rest was not brought back."]);
  expect(restoreWords(report({ outcome: "failed" }, 0), 5).title).toBe("Nothing could be restored");
});
