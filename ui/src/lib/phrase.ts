/** The 24 words as people type and paste them. Whether they are right the node alone knows. */

export const WORDS = 24;

/** Words of a text in whatever shape: numbered lines of a kit, commas, capital letters. */
export function splitWords(typed: string): string[] {
  return typed.toLowerCase().split(/[^\p{L}]+/u).filter(Boolean);
}

/** What the node says of a word that is in no list. */
export interface WrongWord {
  /** From 1. */
  position: number;
  /** The nearest word that there is. */
  suggestion: string | null;
}

/** Finds in the node's message which word is wrong; null where it speaks of something else. */
export function wrongWord(message: string): WrongWord | null {
  const position = Number(/\bword (\d{1,2}),/.exec(message)?.[1]);
  if (!(position >= 1 && position <= WORDS)) return null;
  return { position, suggestion: /did you mean "(\p{L}+)"/u.exec(message)?.[1] ?? null };
}

/** Puts pasted words into the fields from one on; what is beyond the last field is left out. */
export function pasteWords(fields: readonly string[], from: number, pasted: string): string[] {
  const words = splitWords(pasted);
  return fields.map((field, index) => words[index - from] ?? field);
}

/** Different places from 1 to 24 in order, to ask for. */
export function randomPlaces(count: number, random: (below: number) => number = secureRandom): number[] {
  const places = new Set<number>();
  while (places.size < count) places.add(random(WORDS) + 1);
  return [...places].sort((a, b) => a - b);
}

/** Below 256; without the bias of a remainder. */
function secureRandom(below: number): number {
  const limit = 256 - (256 % below);
  const byte = new Uint8Array(1);
  do crypto.getRandomValues(byte);
  while ((byte[0] ?? 0) >= limit);
  return (byte[0] ?? 0) % below;
}
