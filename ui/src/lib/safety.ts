/**
 * The engine's verdict in words. Nothing is decided here: each kind has its title and its body, each
 * level its tone. "Protected" is said in one place only, and an unknown never sounds like a good number.
 */
import type { Asks, FindingView, FolderView, Level, StatusView } from "../backend/bindings";
import type { Tone } from "../parts/tone";
import { text } from "../text/text";
import { connectionOf } from "./connection-words";
import { list, relative } from "./format";
import { never } from "./never";
import { shownName } from "./paths";
import { fewNames } from "./people";

export interface Verdict {
  /** What a person can do about it, where there is something. */
  asks: Asks | "missing";
  tone: Tone;
  title: string;
  body: string;
}

interface Words {
  title: string;
  body: string;
}

/** How each level looks. */
export const tones: Record<Level, Tone> = { good: "good", plain: "plain", working: "busy", attention: "warn", bad: "bad" };

/** People who hold a piece that counts. */
export function holders(view: StatusView): number {
  return view.suppliers.filter((supplier) => supplier.position !== null && supplier.confirmed).length;
}

/** The backup of the folder whose newest one is the oldest: everything is at least as fresh. */
export function oldestBackup(view: StatusView): number | null {
  return view.verdict.oldest_backup;
}

/** All of it in one sentence, with the tone it is said in, and what is wrong besides. */
export function verdict(view: StatusView, now: number): Verdict {
  const { first, also } = view.verdict;
  const { title, body } = words(first, view, now);
  // Words that are not checked have a reminder of their own.
  const others = also.filter(({ says }) => says.kind !== "words_unchecked").map((finding) => `${words(finding, view, now).title}.`);
  return { asks: asks(first, view), tone: tones[first.level], title, body: [body, ...others].join(" ") };
}

/** The button that helps: none of a computer that reaches nobody, or whose clock says who is fresh. */
function asks({ asks, says }: FindingView, view: StatusView): Verdict["asks"] {
  if (says.kind === "waits_for_people" && connectionOf(view) === "offline") return "nothing";
  if (says.kind !== "would_lose") return asks;
  return view.is_clock_wrong ? "nothing" : "missing";
}

function words(finding: FindingView, view: StatusView, now: number): Words {
  const { says } = finding;
  const isUnderWay = finding.level === "working";
  const isRunning = view.jobs.some(({ task }) => task.kind === "backup");
  const folders = { count: finding.folders.length, names: names(finding, view) };
  switch (says.kind) {
    case "unknown":
      return { title: text("safety.unknown_title"), body: text("safety.unknown_body") };
    case "restore_only":
      return { title: text("safety.reader_title"), body: text("safety.reader_body") };
    case "replaced":
      return { title: text("safety.replaced_title"), body: text("safety.replaced_body") };
    case "behind":
      return { title: text("safety.behind_title"), body: text("safety.behind_body") };
    case "catching_up":
      return { title: text("safety.catching_up_title"), body: text("safety.catching_up_body") };
    case "nothing_chosen":
      return { title: text("safety.nothing_title"), body: text("safety.nothing_body") };
    case "would_lose":
      return { title: text("safety.lost_title"), body: says.confirmed === 0 ? text("safety.lost_none_body", { count: says.enough }) : text("safety.lost_body", { count: says.confirmed, enough: says.enough }) };
    case "test_failed":
      return { title: text("safety.verify_title", { count: says.files }), body: text("safety.verify_body") };
    case "waits_for_people":
      return { title: text("safety.waits_title"), body: waits(view, says.have, says.need) };
    case "first_backup":
      return { title: text("safety.first_title"), body: text("safety.first_body") };
    case "never_backed_up":
      return { title: text("safety.never_title", folders), body: text("safety.never_body") };
    case "partly_backed_up":
      return { title: text("safety.some_title", folders), body: text(isRunning ? "safety.some_busy_body" : "safety.some_body") };
    case "stored":
      return { title: text("safety.part_title", { confirmed: says.confirmed, needed: says.needed }), body: isUnderWay ? text("safety.part_busy_body") : whoLacksPieces(view) };
    case "words_unchecked":
      return { title: text("safety.phrase_title"), body: text("safety.phrase_body") };
    case "folder_failed":
      return { title: text("safety.failed_title", folders), body: `${text("safety.failed_body")} ${freshness(view, now)}` };
    case "awaits_restore":
      return { title: text("safety.awaits_title", folders), body: text("safety.awaits_body", { count: finding.folders.length }) };
    case "folder_away":
      return { title: text("safety.away_title", folders), body: `${text("safety.away_body")} ${freshness(view, now)}` };
    case "problems":
      return { title: text("safety.problems_title", { count: says.things }), body: `${text("safety.problems_body")} ${freshness(view, now)}` };
    case "practice":
      return { title: text("safety.practice_title", { count: view.folders.length, people: holders(view) }), body: text("safety.practice_body") };
    case "safe":
      return { title: text("safety.safe_title", { count: view.folders.length, people: holders(view) }), body: freshness(view, now) };
    case "protected":
      return { title: text("safety.protected_title", { count: view.folders.length }), body: freshness(view, now) };
    default:
      return never(says);
  }
}

/** Nobody is asked by a computer that reaches nobody. */
function waits(view: StatusView, have: number, need: number): string {
  switch (connectionOf(view)) {
    case "some":
      return text("safety.waits_body", { have, need });
    case "alone":
      return text("safety.waits_alone_body");
    case "offline":
      return text("safety.waits_offline_body");
  }
}

function names(finding: FindingView, view: StatusView): string {
  return list(view.folders.filter(({ id }) => finding.folders.includes(id)).map(({ path }) => shownName(path)));
}

/** How old the oldest of the newest versions is, and whether it could be had right now. */
function freshness(view: StatusView, now: number): string {
  const { oldest_backup: oldest, within_reach } = view.verdict;
  const age = oldest === null ? text("safety.no_backup") : text(view.folders.length === 1 ? "safety.last_backup" : "safety.oldest_backup", { when: relative(oldest, now) });
  return within_reach === false ? `${age} ${text("safety.out_of_reach")}` : age;
}

function whoLacksPieces(view: StatusView): string {
  const owed = view.suppliers.filter((supplier) => supplier.position !== null && supplier.is_owed);
  if (owed.length === 0) return text("safety.part_body");
  const names = fewNames(owed.map(({ name }) => name));
  return names === null ? text("safety.part_owed_many_body", { count: owed.length }) : text("safety.part_owed_body", { names });
}

/** The same for one folder, short enough for a badge. */
export function folderVerdict({ verdict: { says, level } }: FolderView): { tone: Tone; label: string } {
  const told = (label: string) => ({ tone: tones[level], label });
  switch (says.kind) {
    case "unknown":
      return told(text("safety.folder_unknown"));
    case "replaced":
      return told(text("safety.folder_replaced"));
    case "behind":
      return told(text("safety.folder_behind"));
    case "catching_up":
      return told(text("safety.folder_catching_up"));
    case "never_backed_up":
      return told(text("folders.state_never"));
    case "first_backup":
      return told(text("folders.state_backing_up"));
    case "would_lose":
      return told(text("safety.folder_lost"));
    case "failed":
      return told(text("folders.state_failed"));
    case "awaits_restore":
      return told(text("safety.folder_awaits"));
    case "away":
      return told(text("folders.state_away"));
    case "stored":
      return told(text("safety.folder_part", { confirmed: says.confirmed, needed: says.needed }));
    case "problems":
      return told(text("folders.state_quiet_but", { count: says.things }));
    case "practice":
      return told(text("safety.folder_practice"));
    case "safe":
      return told(text("folders.state_quiet"));
    case "protected":
      return told(text("safety.folder_protected"));
    default:
      return never(says);
  }
}
