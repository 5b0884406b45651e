/** A folder's state in words: what it is, why, and when something happens next. */
import type { ErrorCode, FolderView } from "../backend/bindings";
import type { Tone } from "../parts/tone";
import { text, textOf } from "../text/text";
import { presetsOf } from "./excludes";
import { bytes, list, relative } from "./format";
import { never } from "./never";
import { folderVerdict } from "./safety";
import { scheduleWords } from "./schedules";

export interface FolderWords {
  tone: Tone;
  label: string;
  /** Why, what can be done about it, what happens next; empty where the label says it all. */
  more: string[];
}

export function folderWords(folder: FolderView, now: number): FolderWords {
  const { tone, label } = folderVerdict(folder);
  // What is wrong is not hidden behind what goes on.
  const isWell = tone !== "warn" && tone !== "bad";
  const { state } = folder;
  switch (state.kind) {
    case "quiet":
      return { tone, label, more: [] };
    case "changed": {
      const more = [state.due_at > now ? text("folders.state_changed_when", { when: relative(state.due_at, now) }) : text("folders.state_changed_soon")];
      return isWell ? { tone: "busy", label: text("folders.state_changed"), more } : { tone, label, more };
    }
    case "backing_up":
      return isWell ? { tone: "busy", label: text("folders.state_backing_up"), more: [] } : { tone, label, more: [text("folders.state_backing_up")] };
    case "failed":
      return { tone, label, more: [nextTry(state, now), textOf(`errors.${state.error}_hint`)] };
    case "away":
      return { tone, label, more: [text("folders.state_away_hint")] };
    case "awaits_restore":
      return { tone, label, more: [text("folders.state_awaits_hint")] };
    default:
      return never(state);
  }
}

/** Why a backup failed, and when it is tried again. */
export function nextTry({ retry_at, error }: { retry_at: number; error: ErrorCode }, now: number): string {
  const reason = textOf(`errors.${error}`);
  return retry_at > now ? text("folders.state_failed_when", { reason, when: relative(retry_at, now) }) : text("folders.state_failed_soon", { reason });
}

/** What there is of it, when it was taken, when it is taken next. */
export function folderFacts(folder: FolderView, now: number): string[] {
  const facts: string[] = [];
  if (folder.last_backup !== null) {
    facts.push(text("folders.size", { count: folder.files, size: bytes(folder.bytes) }), text("folders.last", { when: relative(folder.last_backup, now) }));
    if (folder.protection.kind === "stored") facts.push(text("folders.confirmed", folder.protection));
  }
  facts.push(scheduleWords(folder.schedule));
  if (folder.state.kind === "quiet" && folder.next_backup !== null && folder.next_backup > now) {
    const when = relative(folder.next_backup, now);
    facts.push(folder.schedule.kind === "on_change" ? text("folders.next", { when }) : text("folders.next_backup", { when }));
  }
  if (folder.excludes.length > 0) facts.push(text("folders.left_out", { names: list(leftOut(folder.excludes)) }));
  if (!folder.crosses_mounts) facts.push(text("folders.stays_on_disk"));
  return facts;
}

function leftOut(patterns: readonly string[]): string[] {
  const { presets, own } = presetsOf(patterns);
  const names = presets.map((preset) => textOf(`folders.preset_${preset}`));
  const count = own === "" ? 0 : own.split("\n").length;
  return count === 0 ? names : [...names, text("folders.left_out_own", { count })];
}
