import { expect, test } from "vitest";

import { pasteWords, randomPlaces, splitWords, wrongWord } from "./phrase";

test("words are found in whatever shape", () => {
  expect(splitWords(" 1. Abandon  2) ability,\n3 ABLE ")).toEqual(["abandon", "ability", "able"]);
});

test("the wrong word is found in the message of the node", () => {
  expect(wrongWord('word 7, "abov", is not in the list of words (did you mean "above"?); compare it with your printed kit')).toEqual({ position: 7, suggestion: "above" });
  expect(wrongWord('word 24, "zzz", is not in the list of words; compare')).toEqual({ position: 24, suggestion: null });
  expect(wrongWord("a recovery phrase has 24 words, this text has 23")).toBeNull();
});

test("pasted words fill the fields from where they are pasted", () => {
  expect(pasteWords(["a", "b", "c", "d"], 1, "x y")).toEqual(["a", "x", "y", "d"]);
  expect(pasteWords(["a", "b"], 0, "x y z")).toEqual(["x", "y"]);
});

test("places that are asked differ and are in order", () => {
  const dice = [4, 4, 23, 0][Symbol.iterator]();
  expect(randomPlaces(3, () => dice.next().value ?? 0)).toEqual([1, 5, 24]);
  for (let i = 0; i < 50; i += 1) {
    const places = randomPlaces(3);
    expect(new Set(places).size).toBe(3);
    expect(Math.min(...places)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...places)).toBeLessThanOrEqual(24);
  }
});
