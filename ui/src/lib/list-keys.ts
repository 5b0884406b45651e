/** Where the keyboard goes in a long list. */

export interface Place {
  index: number;
  count: number;
  /** Rows that are seen at once. */
  page: number;
}

/** The row that a key leads to; null where the key is for something else. */
export function rowAfter(key: string, { index, count, page }: Place): number | null {
  const to = target(key, index, count, Math.max(1, page - 1));
  return to === null || count === 0 ? null : Math.min(count - 1, Math.max(0, to));
}

function target(key: string, index: number, count: number, step: number): number | null {
  switch (key) {
    case "ArrowDown":
      return index + 1;
    case "ArrowUp":
      return index - 1;
    case "PageDown":
      return index + step;
    case "PageUp":
      return index - step;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}

/** What was typed to jump to a name, and when, in milliseconds. */
export interface Typed {
  text: string;
  at: number;
}

/** Letters that follow each other faster are one word. */
const PAUSE = 1_000;

export function typedOn(before: Typed, letter: string, at: number): Typed {
  return { text: at - before.at < PAUSE ? before.text + letter : letter, at };
}

/** One letter again and again goes through the names that begin with it. */
export function soughtBy({ text }: Typed): { start: string; skips: boolean } {
  const letters = [...text.toLocaleLowerCase()];
  const isOne = letters.every((letter) => letter === letters[0]);
  return { start: isOne ? (letters[0] ?? "") : letters.join(""), skips: isOne };
}
