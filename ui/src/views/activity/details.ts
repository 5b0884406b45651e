/** Everything that a line of the history has, as rows of a table. */
import type { HistoryLine } from "../../backend/bindings";
import { bytes, dateTime, number } from "../../lib/format";
import { text, textOf, type PlainKey } from "../../text/text";
import { sentence } from "../../lib/happenings";

export interface Detail {
  label: string;
  value: string;
}

export function details(line: HistoryLine): Detail[] {
  return [
    { label: text("activity.detail_when"), value: dateTime(line.at) },
    { label: text("activity.detail_kind"), value: sentence(line) },
    { label: text("activity.detail_severity"), value: textOf(`activity.${line.severity}`) },
    ...figures(line),
    { label: text("activity.detail_message"), value: line.message },
  ];
}

function figures({ happening }: HistoryLine): Detail[] {
  const rows: Detail[] = [];
  const add = (key: PlainKey, value: string): void => void rows.push({ label: textOf(key), value });
  if ("path" in happening) add("activity.detail_path", happening.path);
  if ("name" in happening) add("activity.detail_name", happening.name);
  if ("reason" in happening) add("activity.detail_reason", happening.reason);
  if ("files" in happening) add("activity.detail_files", number(happening.files));
  if ("new_bytes" in happening) add("activity.detail_bytes", bytes(happening.new_bytes));
  if ("problems" in happening) add(happening.kind === "restore_ended" ? "activity.detail_not_restored" : "activity.detail_problems", number(happening.problems));
  if ("failed" in happening) add("activity.detail_failed", number(happening.failed));
  if ("bytes" in happening) add(happening.kind === "offer_changed" ? "activity.detail_offer" : "activity.detail_agreed", bytes(happening.bytes));
  if ("error" in happening && happening.error !== null) add("activity.detail_error", textOf(`errors.${happening.error}`));
  return rows;
}
