/** Scenes of the history: nothing yet, and a hundred thousand lines in pages. */
import type { Calls } from "../backend";
import type { HistoryLine, HistoryView, Severity } from "../bindings";
import { ago, GB, hostOf, line, MB, MINUTE, named, NICKNAMES, statusOf } from "./people";
import type { Scenes } from "./scene";

const LINES = 100_000;
const PAGE = 200;
/** Of every so many lines; about four years in all. */
const APART = 21 * MINUTE;

export const activityScenes: Scenes = {
  "activity-empty": () => ({ host: hostOf(), status: statusOf({ notices: [] }), answers: { history: () => ({ lines: [], more: false, count: 0 }) } }),
  "activity-100k": () => ({
    host: hostOf(),
    status: statusOf(),
    answers: { history: (request) => pageOf(request) },
  }),
};

function pageOf({ before, severity, text }: Calls["history"][0]): HistoryView {
  const lines: HistoryLine[] = [];
  let number = (before ?? LINES + 1) - 1;
  for (; number > 0 && lines.length < PAGE; number -= 1) {
    const found = lineOf(number);
    if (fits(found, severity, text)) lines.push(found);
  }
  return { lines, more: number > 0, count: severity === null && text === null ? LINES : lines.length };
}

function fits({ severity, message }: HistoryLine, wanted: Severity | null, text: string | null): boolean {
  const loud = { note: 0, warning: 1, problem: 2 };
  return (wanted === null || loud[severity] >= loud[wanted]) && (text === null || message.toLowerCase().includes(text.toLowerCase()));
}

function lineOf(number: number): HistoryLine {
  const at = ago((LINES - number) * APART + 4 * MINUTE);
  const name = named(NICKNAMES[number % NICKNAMES.length] ?? "bob");
  switch (number % 23) {
    case 3:
      return line(number, at, { severity: "warning", happening: { kind: "backup_ended", outcome: "partial", files: 8_214, new_bytes: 12 * MB, problems: 3, error: null }, message: "Backed up /home/alice/Pictures; 3 things could not be protected." });
    case 6:
      return line(number, at, { happening: { kind: "verify_ended", outcome: "complete", files: 20, failed: 0, error: null }, message: "Test restore: 20 files came back whole." });
    case 9:
      return line(number, at, { severity: "problem", happening: { kind: "supplier_emptied", name }, message: `${name} can prove nothing of what it confirmed.` });
    case 10:
      return line(number, at, { severity: "problem", happening: { kind: "kept_pieces_lost", pieces: 3 }, message: "3 pieces that you keep for others are missing from your disk or damaged." });
    case 11:
      return line(number, at, { happening: { kind: "supplier_signed", name, bytes: 60 * GB }, message: `${name} keeps data for you from now on.` });
    case 13:
      return line(number, at, { severity: "problem", happening: { kind: "backup_ended", outcome: "failed", files: 12, new_bytes: 0, problems: 0, error: "too_few_suppliers" }, message: "The backup failed: there are not enough suppliers." });
    case 16:
      return line(number, at, { severity: "warning", happening: { kind: "watch_limited", path: "/home/alice/Pictures", reason: "the system watches too many folders" }, message: "Changes in /home/alice/Pictures are not seen at once." });
    case 19:
      return line(number, at, { happening: { kind: "other" }, message: "Reached the network through /ip4/192.0.2.7/tcp/4001." });
    case 21:
      return line(number, at, { happening: { kind: "started" }, message: "Started." });
    default:
      return line(number, at, { happening: { kind: "backup_ended", outcome: "complete", files: 30 + (number % 90), new_bytes: (number % 47) * MB, problems: 0, error: null }, message: "Backed up /home/alice/Pictures." });
  }
}
