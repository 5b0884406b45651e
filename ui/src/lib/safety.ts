/**
 * What may be said about safety, and nothing more than that. "Protected" is said in one place
 * only, and an unknown never sounds like a good number.
 */
import type { FolderView, StatusView } from "../backend/bindings";
import type { Tone } from "../parts/tone";
import { text } from "../text/text";
import { connectionOf } from "./connection-words";
import { list, relative } from "./format";
import { shownName } from "./paths";
import { fewNames } from "./people";

export interface Verdict {
  /** What a person can do about it, where there is something. */
  asks: "words" | "people" | "missing" | "suppliers" | "folder" | "nothing";
  tone: Tone;
  title: string;
  body: string;
}

/** From this chance on everything counts as protected, where it is measured. */
const PROTECTED_FROM = 0.999;

/** The one place that allows the word "protected". */
export function isProtected(view: StatusView): boolean {
  return view.protection.kind === "safe" && view.phrase_confirmed && view.scope !== "loopback" && view.survival !== null && view.survival >= PROTECTED_FROM;
}

/** Things in all folders that could not be protected. */
export function problemCount(view: StatusView): number {
  return view.folders.reduce((sum, folder) => sum + folder.problems, 0);
}

/** People who hold a piece that counts. */
export function holders(view: StatusView): number {
  return view.suppliers.filter((supplier) => supplier.position !== null && supplier.confirmed).length;
}

/** The backup of the folder whose newest one is the oldest: everything is at least as fresh. */
export function oldestBackup(view: StatusView): number | null {
  const times = view.folders.map(({ last_backup }) => last_backup).filter((time) => time !== null);
  return times.length === 0 ? null : Math.min(...times);
}

/** All of it in one sentence, with the tone it is said in. */
export function verdict(view: StatusView, now: number): Verdict {
  if (view.protection.kind === "unknown") return { asks: "nothing", tone: "bad", title: text("safety.unknown_title"), body: text("safety.unknown_body") };
  if (view.folders.length === 0) return { asks: "folder", tone: "plain", title: text("safety.nothing_title"), body: text("safety.nothing_body") };
  switch (view.protection.kind) {
    case "nothing":
      return notStored(view);
    case "partly":
      return someMissing(view);
    case "stored":
      return partlyStored(view, view.protection.confirmed, view.protection.needed);
    case "safe":
      return stored(view, now);
  }
}

function notStored(view: StatusView): Verdict {
  for (const job of view.jobs) {
    if (job.task.kind !== "backup") continue;
    if (job.phase.kind === "waiting_for_suppliers") return waitsForPeople(view, job.phase.have, job.phase.need);
    return { asks: "nothing", tone: "busy", title: text("safety.first_title"), body: text("safety.first_body") };
  }
  return { asks: "nothing", tone: "warn", title: text("safety.never_title", { count: view.folders.length }), body: text("safety.never_body") };
}

function waitsForPeople(view: StatusView, have: number, need: number): Verdict {
  const title = text("safety.waits_title");
  switch (connectionOf(view)) {
    case "some":
      return { asks: "people", tone: "warn", title, body: text("safety.waits_body", { have, need }) };
    case "alone":
      return { asks: "people", tone: "warn", title, body: text("safety.waits_alone_body") };
    case "offline":
      return { asks: "nothing", tone: "warn", title, body: text("safety.waits_offline_body") };
  }
}

function someMissing(view: StatusView): Verdict {
  const missing = view.folders.filter(({ protection }) => protection.kind === "nothing");
  const isOnTheWay = view.jobs.some(({ task, phase }) => task.kind === "backup" && phase.kind !== "waiting_for_suppliers" && missing.every(({ path }) => task.folders.includes(path)));
  const title = text("safety.some_title", { count: missing.length, names: list(missing.map(({ path }) => shownName(path))) });
  return { asks: "nothing", tone: isOnTheWay ? "busy" : "warn", title, body: text(isOnTheWay ? "safety.some_busy_body" : "safety.some_body") };
}

function partlyStored(view: StatusView, confirmed: number, needed: number): Verdict {
  const enough = view.code?.[0] ?? needed;
  const isSending = view.jobs.some((job) => job.task.kind === "backup");
  // By a clock that is wrong nobody is fresh, and nobody is missing.
  if (confirmed < enough && !isSending) return { asks: view.is_clock_wrong ? "nothing" : "missing", tone: "bad", title: text("safety.lost_title"), body: confirmed === 0 ? text("safety.lost_none_body", { count: enough }) : text("safety.lost_body", { count: confirmed, enough }) };
  const body = isSending ? text("safety.part_busy_body") : whoLacksPieces(view);
  const missing = view.folders.filter(({ protection }) => protection.kind === "nothing");
  const also = missing.length === 0 ? "" : ` ${text("safety.some_title", { count: missing.length, names: list(missing.map(({ path }) => shownName(path))) })}.`;
  return { asks: "nothing", tone: isSending ? "busy" : "warn", title: text("safety.part_title", { confirmed, needed }), body: `${body}${also}` };
}

function whoLacksPieces(view: StatusView): string {
  const owed = view.suppliers.filter((supplier) => supplier.position !== null && supplier.is_owed);
  if (owed.length === 0) return text("safety.part_body");
  const names = fewNames(owed.map(({ name }) => name));
  return names === null ? text("safety.part_owed_many_body", { count: owed.length }) : text("safety.part_owed_body", { names });
}

function stored(view: StatusView, now: number): Verdict {
  const count = view.folders.length;
  const people = holders(view);
  const oldest = oldestBackup(view);
  const body = oldest === null ? text("safety.no_backup") : text(count === 1 ? "safety.last_backup" : "safety.oldest_backup", { when: relative(oldest, now) });
  if (view.scope === "loopback") return { asks: "nothing", tone: "plain", title: text("safety.practice_title", { count, people }), body: text("safety.practice_body") };
  const failed = view.last_verify?.result.failed ?? 0;
  if (failed > 0) return { asks: "suppliers", tone: "bad", title: text("safety.verify_title", { count: failed }), body: text("safety.verify_body") };
  if (!view.phrase_confirmed) return { asks: "words", tone: "warn", title: text("safety.phrase_title"), body: text("safety.phrase_body") };
  const stuck = view.folders.filter(({ state }) => state.kind === "failed" || state.kind === "away");
  if (stuck.length > 0) return { asks: "nothing", tone: "warn", title: text("safety.stuck_title", { count: stuck.length, names: list(stuck.map(({ path }) => shownName(path))) }), body: `${text("safety.stuck_body")} ${body}` };
  const problems = problemCount(view);
  if (problems > 0) return { asks: "nothing", tone: "warn", title: text("safety.problems_title", { count: problems }), body: `${text("safety.problems_body")} ${body}` };
  if (isProtected(view)) return { asks: "nothing", tone: "good", title: text("safety.protected_title", { count }), body };
  return { asks: "nothing", tone: "good", title: text("safety.safe_title", { count, people }), body };
}

/** The same for one folder, short enough for a badge. */
export function folderVerdict(folder: FolderView, view: StatusView): { tone: Tone; label: string } {
  switch (folder.protection.kind) {
    case "unknown":
      return { tone: "bad", label: text("safety.folder_unknown") };
    case "nothing":
    case "partly":
      return { tone: "warn", label: text("safety.folder_nothing") };
    case "stored":
      return { tone: "warn", label: text("safety.folder_part", { confirmed: folder.protection.confirmed, needed: folder.protection.needed }) };
    case "safe":
      if (view.scope === "loopback") return { tone: "plain", label: text("safety.folder_practice") };
      return { tone: "good", label: text(isProtected(view) ? "safety.folder_protected" : "safety.folder_safe") };
  }
}
