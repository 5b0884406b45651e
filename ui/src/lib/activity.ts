/** The history as rows of a list: a row for each day, then its lines. */
import type { HistoryLine, Severity } from "../backend/bindings";

export type Row = { kind: "day"; at: number } | { kind: "line"; line: HistoryLine };

export type SeverityChoice = "all" | Exclude<Severity, "note">;

export interface HistoryFilter {
  severity: SeverityChoice;
  text: string;
}

export const NO_FILTER: HistoryFilter = { severity: "all", text: "" };

export function isFiltered({ severity, text }: HistoryFilter): boolean {
  return severity !== "all" || text.trim() !== "";
}

/** Lines come newest first and stay so. */
export function rowsOf(lines: readonly HistoryLine[]): Row[] {
  const rows: Row[] = [];
  let from = Infinity;
  let until = -Infinity;
  for (const line of lines) {
    if (line.at < from || line.at >= until) {
      from = startOfDay(line.at);
      until = startOfNextDay(from);
      rows.push({ kind: "day", at: line.at });
    }
    rows.push({ kind: "line", line });
  }
  return rows;
}

export type DayName = "today" | "yesterday" | "other";

export function dayName(at: number, now: number): DayName {
  const day = startOfDay(at);
  if (day === startOfDay(now)) return "today";
  const before = new Date(now);
  before.setDate(before.getDate() - 1);
  return day === startOfDay(before.getTime()) ? "yesterday" : "other";
}

/** Newer lines before those that are there, each once. */
export function withNewer(lines: readonly HistoryLine[], newer: readonly HistoryLine[]): HistoryLine[] {
  const newest = lines[0]?.number ?? -Infinity;
  const fresh = newer.filter(({ number }) => number > newest);
  return [...fresh, ...lines];
}

/** Not always 24 hours later. */
function startOfNextDay(day: number): number {
  const next = new Date(day);
  return next.setDate(next.getDate() + 1);
}

function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}
