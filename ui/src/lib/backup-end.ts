/** How a backup ended that is not safe with it: what is missing, and who gets it. */
import type { JobReport } from "../backend/bindings";
import { text } from "../text/text";
import { never } from "./never";
import { fewNames } from "./people";

export interface BackupEnd {
  title: string;
  sentences: string[];
}

/** Null where nothing is missing, and where the job was no backup or made no version. */
export function backupEnd({ protection, owed }: Pick<JobReport, "protection" | "owed">): BackupEnd | null {
  if (protection === null) return null;
  switch (protection.kind) {
    case "unknown":
    case "nothing":
    case "safe":
      return null;
    case "partly":
      return { title: text("overview.ended_partly_title"), sentences: [text("overview.ended_partly", { count: protection.missing }), ...owedWords(owed)] };
    case "stored":
      return { title: text("overview.ended_title"), sentences: [text("overview.ended_some", { confirmed: protection.confirmed, needed: protection.needed }), ...owedWords(owed)] };
    default:
      return never(protection);
  }
}

function owedWords(owed: string[]): string[] {
  if (owed.length === 0) return [];
  const names = fewNames(owed);
  return [names === null ? text("overview.ended_owed_many", { count: owed.length }) : text("overview.ended_owed", { count: owed.length, names })];
}
