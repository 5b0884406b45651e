/**
 * Takes private data out of the history before it is shown to a stranger. Whatever the history
 * names as a name or a path is taken out by that; then everything that looks like an address, an
 * id, a path or a name of a file. When in doubt it goes.
 */
import type { HistoryLine, StatusView } from "../backend/bindings";

const NAME_SEPARATOR = " · ";

/** In this order: an invitation has no address in it, an address has no path in it. */
const PATTERNS: [RegExp, string][] = [
  [/\bbitdust:\/\/\S+/gi, "[invitation]"],
  [/\bbitdust-[a-z2-7-]{20,}/gi, "[invitation]"],
  [/\/(?:ip4|ip6|ip6zone|dns|dns4|dns6|dnsaddr|p2p|unix)\/\S+/gi, "[address]"],
  [/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi, "[address]"],
  [/[^\s@"'<>]+@[^\s@"'<>]+\.[a-z]{2,}/gi, "[address]"],
  [/\[?(?<![\w:.])(?=[0-9a-f:]*(?:::|(?::[0-9a-f]+){4}))[0-9a-f:]{2,}(?:%\w+)?\]?(?::\d{1,5})?/gi, "[address]"],
  [/(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\d.])/g, "[address]"],
  [/\b(?:12D3Koo|Qm)[1-9A-HJ-NP-Za-km-z]{20,}/g, "[id]"],
  [/"[^"\n]*"|“[^”\n]*”|„[^“\n]*“|«[^»\n]*»|`[^`\n]*`/g, "[name]"],
  [/(?:\\\\|\b[a-z]:[\\/])[^\n:*?"<>|]*/gi, "[path]"],
  [/(?<![\w\]])~?\/[^\s:,;()]+(?: [^\s:,;()]*\/[^\s:,;()]*)*(?: [^\n:,;()/]{0,80}?\.[a-z0-9]{1,8}\b)?/gi, "[path]"],
  [/\b[0-9a-f]{4} [0-9a-f]{4}\b/gi, "[id]"],
  [/(?<!\w)[0-9a-f]{8,}\b/gi, "[id]"],
  [/(?<![\w.])[\p{L}\p{N}_-]+\.(?:[a-z][a-z0-9]{1,4}|local|lan|home)\b(?!\()/giu, "[name]"],
  [/[\p{L}\p{N}_'-]+ · \S+(?: [0-9a-f]{4})?/giu, "[name]"],
];

/** What is private by where it stands, whatever it looks like. */
export function privateWords(status: StatusView | null, lines: HistoryLine[]): string[] {
  const words = new Set<string>();
  const add = (word: string): void => {
    words.add(word);
    for (const part of word.split(NAME_SEPARATOR)) words.add(part);
  };
  for (const { happening } of lines) {
    if ("path" in happening) add(happening.path);
    if ("name" in happening) add(happening.name);
  }
  if (status !== null) {
    [status.nickname, status.identity, status.device].forEach(add);
    for (const { path, id } of status.folders) [path, id].forEach(add);
    for (const { name, device, identity } of status.suppliers) [name, device, identity].forEach(add);
    status.listening.forEach(add);
  }
  return [...words].filter((word) => word.trim() !== "").sort((a, b) => b.length - a.length);
}

export function anonymise(text: string, words: string[]): string {
  let clean = text;
  for (const word of words) {
    clean = clean.replace(new RegExp(`(?<![\\p{L}\\p{N}])${literal(word)}(?![\\p{L}\\p{N}])`, "giu"), word.startsWith("/") ? "[path]" : "[name]");
  }
  for (const [pattern, instead] of PATTERNS) clean = clean.replace(pattern, instead);
  return clean;
}

/** What the history is about besides its lines. */
export interface ReportHead {
  version: string;
  platform: string;
}

/** The lines as text, newest first: time, loudness, kind, counts, and the message without names. */
export function bugReport(head: ReportHead, status: StatusView | null, lines: HistoryLine[]): string {
  const words = privateWords(status, lines);
  const rows = lines.map((line) => `${new Date(line.at).toISOString()} ${line.severity} ${line.happening.kind}${counts(line)} ${anonymise(line.message, words)}`);
  return [`BitDust ${head.version} on ${head.platform}`, ...situation(status), "", ...rows, ""].join("\n");
}

function situation(status: StatusView | null): string[] {
  if (status === null) return [];
  const online = status.suppliers.filter((supplier) => supplier.online).length;
  return [
    `scope ${status.scope}, keys ${status.keys}, kept: ${status.protection.kind}`,
    `${status.folders.length} folders, ${status.suppliers.length} suppliers (${online} online), code ${status.code?.join("/") ?? "none"}`,
    ...status.machines.map(([name, state]) => `${anonymise(name, [])}: ${state}`),
  ];
}

/** Numbers and codes of a happening; its texts stay out. */
function counts({ happening }: HistoryLine): string {
  const parts = Object.entries(happening).filter(([key, value]) => typeof value === "number" || key === "outcome" || (key === "error" && value !== null));
  return parts.map(([key, value]) => ` ${key}=${String(value)}`).join("");
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
