/**
 * What the mock says of its scenes, for the node to compare: `crates/node/src/front/verdict.rs` has the
 * engine judge each. `UPDATE=1 npx vitest run told` writes the file anew.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, expect, test, vi } from "vitest";

import type { StatusView } from "../bindings";

const FILE = fileURLToPath(new URL("told.json", import.meta.url));

/** More of the same show nothing new. */
const FOLDERS_MAX = 10;

beforeAll(() => void vi.useFakeTimers({ now: Date.UTC(2026, 2, 14) }));
afterAll(() => void vi.useRealTimers());

/** The same without what the verdict does not hang on. */
function facts(status: StatusView): StatusView {
  const folders = status.folders.map((folder) => ({ ...folder, files: 0, bytes: 0, excludes: [], unprotected: [], watch_problem: null, next_backup: null }));
  const jobs = status.jobs.map((job) => ({ ...job, progress: { files_done: 0, files_total: 0, bytes_done: 0, bytes_total: 0, bytes_moved: 0 }, bytes_per_second: null, remaining_seconds: null }));
  const bytes = { packed_bytes: 0, coded_bytes: 0, kept_bytes: 0, metadata_bytes: 0, metadata_kept_bytes: 0, metadata_bytes_per_file: null, offered_bytes: 0, used_by_others_bytes: 0, disk_free_bytes: null };
  return { ...status, ...bytes, folders, jobs, nickname: "", keys: "", network: "", suppliers: [], head: null, listening: [], machines: [], notices: [], peers: 0 };
}

test("the node is shown what the mock says of each scene", async () => {
  // Scenes are made with times of their own, some of them when their file is read.
  const { scenes } = await import("./all");
  const told = new Set<string>();
  for (const make of Object.values(scenes)) {
    const { status } = make();
    if (status !== null && status.folders.length <= FOLDERS_MAX) told.add(JSON.stringify(facts(status)));
  }
  const wanted = `[\n${[...told].join(",\n")}\n]\n`;
  if (process.env["UPDATE"] !== undefined) writeFileSync(FILE, wanted);
  expect(readFileSync(FILE, "utf8") === wanted, "told.json is old: UPDATE=1 npx vitest run told").toBe(true);
});
