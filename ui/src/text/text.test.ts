import { expect, test } from "vitest";

import { preferences } from "../state/preferences.svelte";
import { de } from "./de";
import { en } from "./en";
import { text } from "./text";
import type { Word, Words } from "./words";

const placeholders = (word: Word): string[] => {
  const forms = typeof word === "string" ? [word] : [word.one, word.other];
  return [...new Set(forms.flatMap((form) => form.match(/\{\w+\}/g) ?? []))].sort();
};

test("German has the placeholders of English", () => {
  const german: Words = de;
  for (const [section, words] of Object.entries<Record<string, Word>>(en)) {
    for (const [key, word] of Object.entries(words)) {
      const other = german[section]?.[key];
      expect(other, `${section}.${key}`).toBeDefined();
      if (other !== undefined) expect(placeholders(other), `${section}.${key}`).toEqual(placeholders(word));
    }
  }
});

test("no word for people is one of ours", () => {
  const banned = /\b(shards?|erasure|packs?|repositor\w+|chunks?|DHT|contracts?)\b/i;
  for (const words of Object.values<Record<string, Word>>(en)) {
    for (const word of Object.values(words)) {
      const forms = typeof word === "string" ? [word] : [word.one, word.other];
      for (const form of forms) expect(form).not.toMatch(banned);
    }
  }
});

test("somebody does what is said to be done", () => {
  const nobody = /\bby (itself|themselves)\b|\bit goes on\b|\bhad whole\b|von selbst|geht (es )?weiter|\bDinge?\b/i;
  for (const dictionary of [en, de]) {
    for (const words of Object.values<Record<string, Word>>(dictionary)) {
      for (const word of Object.values(words)) {
        for (const form of typeof word === "string" ? [word] : [word.one, word.other]) expect(form).not.toMatch(nobody);
      }
    }
  }
});

test("a word follows the language", () => {
  preferences.language = "en";
  expect(text("parts.cancel")).toBe("Cancel");
  preferences.language = "de";
  expect(text("parts.cancel")).toBe("Abbrechen");
});
