/** One model of progress for all jobs: what it is, what it does or waits for, how far, how long. */
import type { JobPhase, JobTask, JobView, StatusView } from "../backend/bindings";
import { text } from "../text/text";
import { connectionOf } from "./connection-words";
import { bytes, bytesOf, bytesPerSecond, duration, list, number } from "./format";
import { never } from "./never";
import { shownName, shownPath } from "./paths";
import { fewNames } from "./people";

export interface JobWords {
  title: string;
  phase: string;
  /** From 0 to below 1; null where nobody can say how much is left. */
  value: number | null;
  /** Nothing moves until something else happens. */
  waits: boolean;
  /** Bytes, files, speed and the rest of the time, as far as they are known. */
  figures: string[];
  /** The file or folder in work. */
  current: string | null;
}

/** What of the status a job's words are told from, besides the job. */
export type Around = Pick<StatusView, "peers" | "suppliers" | "spooled_bytes">;

export function jobWords(job: JobView, around: Around | null): JobWords {
  const waits = isWaiting(job.phase);
  return { title: title(job.task), phase: phaseWords(job.phase, around), value: value(job), waits, figures: figures(job, waits, around), current: job.current === null ? null : shownPath(job.current) };
}

function title(task: JobTask): string {
  switch (task.kind) {
    case "backup":
      return task.folders.length === 0 ? text("overview.job_backup_all") : text("overview.job_backup", { folders: list(task.folders.map(shownName)) });
    case "restore":
      return text("overview.job_restore", { to: shownPath(task.to) });
    case "verify":
      return text("overview.job_verify");
    case "recovery":
      return text("overview.job_recovery");
    default:
      return never(task);
  }
}

function confirmationWords(confirmed: number, need: number, names: string | null): string {
  if (names === null) return text("overview.phase_waiting_for_confirmations", { confirmed, need });
  return text("overview.phase_waiting_for_names", { confirmed, need, names });
}

/** Nobody is asked as long as nobody is connected, which is said then. */
function agreedWords(have: number, need: number, around: Around | null): string {
  const connection = around === null ? "some" : connectionOf(around);
  if (connection !== "some") return text(connection === "alone" ? "overview.phase_waiting_alone" : "overview.phase_waiting_offline");
  return text("overview.phase_waiting_for_suppliers", { have, need });
}

export function phaseWords(phase: JobPhase, around: Around | null): string {
  switch (phase.kind) {
    case "waiting_for_suppliers":
      return agreedWords(phase.have, phase.need, around);
    case "waiting_for_confirmations":
      return confirmationWords(phase.confirmed, phase.need, fewNames(phase.away));
    case "waiting_for_supplier":
      return text("overview.phase_waiting_for_supplier", { name: phase.name });
    case "waiting":
    case "waiting_for_spool":
    case "waiting_for_disk":
    case "reading":
    case "sending":
    case "writing_lists":
    case "publishing":
    case "seeking":
    case "asking_heads":
    case "loading_lists":
    case "fetching":
    case "waiting_for_pieces":
      return text(`overview.phase_${phase.kind}`);
    default:
      return never(phase);
  }
}

function isWaiting({ kind }: JobPhase): boolean {
  return kind.startsWith("waiting");
}

/**
 * How far the bytes of files are: read in a backup, written in a restore. Behind them a backup still
 * sends, stores its lists and waits for people, of which the node tells no size.
 */
function value({ phase, progress }: JobView): number | null {
  if (!isMeasured(phase)) return null;
  const isQueued = phase.kind === "waiting" || phase.kind === "waiting_for_suppliers";
  if (progress.bytes_total === 0 && progress.files_total === 0) return isQueued ? 0 : null;
  const share = progress.bytes_total > 0 ? progress.bytes_done / progress.bytes_total : progress.files_done / progress.files_total;
  // A job that has an end yet to come is never full.
  return share < 1 ? share : null;
}

/** Whether bytes of files are what the phase is about. */
function isMeasured(phase: JobPhase): boolean {
  switch (phase.kind) {
    case "waiting":
    case "waiting_for_suppliers":
    case "waiting_for_spool":
    case "waiting_for_disk":
    case "waiting_for_supplier":
    case "reading":
    case "fetching":
    case "waiting_for_pieces":
      return true;
    case "sending":
    case "waiting_for_confirmations":
    case "writing_lists":
    case "publishing":
    case "seeking":
    case "asking_heads":
    case "loading_lists":
      return false;
    default:
      return never(phase);
  }
}

function figures(job: JobView, waits: boolean, around: Around | null): string[] {
  const { progress, bytes_per_second, remaining_seconds } = job;
  if (job.task.kind === "backup" && !isMeasured(job.phase)) return sent(progress, around);
  const words: string[] = [];
  if (progress.bytes_total > 0) words.push(text("overview.figure_bytes", bytesOf(progress.bytes_done, progress.bytes_total)));
  if (progress.files_total > 0) words.push(text("overview.figure_files", { done: number(progress.files_done), count: progress.files_total }));
  if (waits) return words;
  if (bytes_per_second !== null && bytes_per_second > 0) words.push(bytesPerSecond(bytes_per_second));
  if (remaining_seconds !== null) words.push(text("overview.figure_rest", { time: duration(remaining_seconds) }));
  return words;
}

/** What a backup has done that has read everything, and what is left to send, as far as it is known. */
function sent({ files_done, bytes_done, bytes_moved }: JobView["progress"], around: Around | null): string[] {
  const words: string[] = [];
  if (files_done > 0) words.push(text("overview.figure_read", { count: files_done, size: bytes(bytes_done) }));
  if (bytes_moved > 0) words.push(text("overview.figure_sent", { size: bytes(bytes_moved) }));
  if (around !== null && around.spooled_bytes > 0) words.push(text("overview.figure_left", { size: bytes(around.spooled_bytes) }));
  return words;
}
