/** What a recovery knows of versions beyond the newest that it found. */
import type { RecoveredView } from "../backend/bindings";
import { text } from "../text/text";
import { relative } from "./format";

/** Sentences, the gravest first; none where nothing newer can exist. */
export function foundWarnings({ newer, unread, index_missing, older_missing, is_sure }: RecoveredView, now: number): string[] {
  const warnings: string[] = [];
  if (unread !== null) {
    const { number, written_at, is_of_another } = unread;
    const when = written_at === null ? "" : relative(written_at, now);
    warnings.push(text(is_of_another ? "recover.found_unread_other" : "recover.found_unread", { number, when }));
  }
  if (newer !== null) {
    const { number, is_of_another } = newer;
    warnings.push(text(is_of_another ? "recover.found_newer_other" : "recover.found_newer", { number }));
  }
  if (index_missing > 0) warnings.push(text("recover.found_index_missing"));
  if (older_missing > 0) warnings.push(text("recover.found_older_missing"));
  if (!is_sure) warnings.push(text("recover.found_unsure"));
  return warnings;
}
