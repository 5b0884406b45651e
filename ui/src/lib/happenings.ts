/** What happened, in the words of the dictionary, with an icon; the node's message where there is no word. */
import type { ErrorCode, Happening, HistoryLine, JobOutcome } from "../backend/bindings";
import { bytes } from "./format";
import { never } from "./never";
import { shownName } from "./paths";
import type { IconName } from "../parts/icons";
import { text, textOf } from "../text/text";

export const happeningIcons: Record<Happening["kind"], IconName> = {
  started: "power",
  backup_ended: "archive",
  restore_ended: "restore",
  verify_ended: "shield-check",
  folder_added: "folder-plus",
  folder_removed: "folder",
  watch_limited: "eye-off",
  supplier_signed: "people",
  supplier_suspect: "question",
  supplier_emptied: "question",
  supplier_trusted: "people",
  caught_up: "archive",
  friend_made: "friend",
  offer_changed: "disk",
  friends_not_read: "friend",
  kept_list_rebuilt: "disk",
  kept_pieces_lost: "disk",
  kept_folder_away: "disk",
  kept_shut: "disk",
  defect: "alert",
  other: "info",
};

export function sentence({ happening, message }: HistoryLine): string {
  switch (happening.kind) {
    case "started":
      return text("activity.started");
    case "backup_ended":
      return ended("backup", happening, text("activity.backup_complete", { count: happening.files, bytes: bytes(happening.new_bytes) }), () => text("activity.backup_partial", { count: happening.problems }));
    case "restore_ended":
      return ended("restore", happening, text("activity.restore_complete", { count: happening.files }), () => text("activity.restore_partial", { count: happening.problems }));
    case "verify_ended":
      return ended("verify", happening, text("activity.verify_complete", { count: happening.files }), () => text("activity.verify_partial", { count: happening.failed }));
    case "folder_added":
    case "folder_removed":
    case "watch_limited":
      return text(`activity.${happening.kind}`, { name: shownName(happening.path) });
    case "supplier_signed":
      return text("activity.supplier_signed", { name: happening.name, bytes: bytes(happening.bytes) });
    case "supplier_suspect":
    case "supplier_emptied":
    case "supplier_trusted":
    case "friend_made":
      return text(`activity.${happening.kind}`, { name: happening.name });
    case "caught_up":
      return text("activity.caught_up", { count: happening.versions });
    case "offer_changed":
      return happening.bytes === 0 ? text("activity.offer_withdrawn") : text("activity.offer_changed", { bytes: bytes(happening.bytes) });
    case "kept_list_rebuilt":
    case "kept_pieces_lost":
      return text(`activity.${happening.kind}`, { count: happening.pieces });
    case "kept_folder_away":
    case "kept_shut":
    case "friends_not_read":
    case "defect":
      return text(`activity.${happening.kind}`);
    case "other":
      return message;
    default:
      return never(happening);
  }
}

interface Ended {
  outcome: JobOutcome;
  error: ErrorCode | null;
}

function ended(job: "backup" | "restore" | "verify", { outcome, error }: Ended, complete: string, partial: () => string): string {
  switch (outcome) {
    case "complete":
      return complete;
    case "partial":
      return partial();
    case "cancelled":
      return textOf(`activity.${job}_cancelled`);
    case "failed":
      return text(`activity.${job}_failed`, { reason: textOf(`errors.${error ?? "internal"}`) });
    default:
      return never(outcome);
  }
}
