/** How many people keep pieces, how many are needed, how many may fail. */
import type { Code } from "../backend/bindings";

export const SUPPLIERS_PER_SET_MAX = 30;

/** The code the engine takes for so many suppliers by itself; null for none. */
export function defaultCode(people: number): Code | null {
  if (people < 1) return null;
  if (people <= 3) return [1, people];
  if (people <= 6) return [2, people];
  if (people <= 9) return [3, people];
  if (people <= 19) return [4, people];
  if (people <= 29) return [8, people];
  return [10, SUPPLIERS_PER_SET_MAX];
}

export interface CodeMeaning {
  /** How many are enough. */
  enough: number;
  people: number;
  /** How many may fail at the same time. */
  mayFail: number;
}

export function meaningOf([enough, people]: Code): CodeMeaning {
  return { enough, people, mayFail: people - enough };
}

/** `2/6` as the settings write it; null for `default` or what is no code. */
export function parseCode(text: string): Code | null {
  const [, k, n] = /^(\d{1,2})\/(\d{1,2})$/.exec(text.trim()) ?? [];
  const code: Code = [Number(k), Number(n)];
  return k !== undefined && code[0] >= 1 && code[0] <= code[1] && code[1] <= SUPPLIERS_PER_SET_MAX ? code : null;
}
