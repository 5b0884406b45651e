/** How a restore ended, in words: how many files came back and how many did not, or that it was taken back. */
import type { JobReport } from "../backend/bindings";
import type { Tone } from "../parts/tone";
import { text } from "../text/text";
import { never } from "./never";

export interface RestoreWords {
  tone: Tone;
  title: string;
  /** Sentences below the title. */
  counts: string[];
}

export interface RestoreCounts {
  /** At least so many: a problem of a folder or of rights is taken off too. */
  back: number;
  failed: number;
  /** Files that were not reached; null where only some folders were chosen, so nobody knows. */
  left: number | null;
}

/** A file that failed counts as done in the progress: nothing is left to do for it. */
export function restoreCounts({ outcome, progress, problems, problems_unlisted }: JobReport, expected: number | null): RestoreCounts {
  const failed = problems.length + problems_unlisted;
  const isWhole = outcome === "complete" || outcome === "partial";
  const left = isWhole ? 0 : expected === null ? null : Math.max(0, expected - progress.files_done);
  return { back: Math.max(0, progress.files_done - failed), failed, left };
}

export function restoreWords(report: JobReport, expected: number | null): RestoreWords {
  const { back, failed, left } = restoreCounts(report, expected);
  const came = text("restore.done_complete", { count: back });
  const missing = text("restore.done_partial", { count: failed });
  const rest = left === null ? text("restore.left_unknown") : text("restore.left", { count: left });
  const counts = [`${came}.`, ...(failed > 0 ? [`${missing}.`] : []), rest];
  switch (report.outcome) {
    case "complete":
      return { tone: "good", title: came, counts: [] };
    case "partial":
      return { tone: "warn", title: missing, counts: [`${came}.`] };
    case "cancelled":
      return { tone: "plain", title: text("restore.done_cancelled"), counts: [text("restore.taken_back")] };
    case "failed":
      return { tone: "bad", title: text(back === 0 ? "restore.done_failed" : "restore.done_broken"), counts };
    default:
      return never(report.outcome);
  }
}
