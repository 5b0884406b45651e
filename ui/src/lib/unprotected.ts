/** What is not in the newest version, by the reason, and what a person can do about it. */
import type { ErrorCode, UnprotectedView } from "../backend/bindings";
import { text, textOf } from "../text/text";

export interface Reason {
  code: ErrorCode;
  why: string;
  /** What one can do about it. */
  help: string;
  things: UnprotectedView[];
}

/** Codes that a look through a folder gives, with words of their own. */
const KNOWN = ["unreadable", "changed", "not_found", "bad_path", "busy", "disk_failed", "malformed"] as const satisfies readonly ErrorCode[];

/** The most frequent reason first; a thing with two problems of one kind is named once. */
export function reasonsOf(things: readonly UnprotectedView[]): Reason[] {
  const byCode = new Map<ErrorCode, UnprotectedView[]>();
  for (const thing of things) {
    const known = byCode.get(thing.code) ?? [];
    if (!known.some(({ path }) => path === thing.path)) byCode.set(thing.code, [...known, thing]);
  }
  return [...byCode].map(([code, found]) => ({ code, ...wordsOf(code), things: found })).sort((a, b) => b.things.length - a.things.length);
}

function wordsOf(code: ErrorCode): { why: string; help: string } {
  const known = KNOWN.find((one) => one === code);
  if (known === undefined) return { why: textOf(`errors.${code}`), help: textOf(`errors.${code}_hint`) };
  return { why: text(`folders.why_${known}`), help: text(`folders.why_${known}_do`) };
}
