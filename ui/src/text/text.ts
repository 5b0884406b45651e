/** `text("overview.title")`: a word of the dictionary in the language of the person. */
import { language, locale, type Language } from "../state/preferences.svelte";
import { de } from "./de";
import { en } from "./en";
import type { Parameters, Placeholders, Word, Words } from "./words";

type English = typeof en;
/** `section.key` for each word there is. */
export type Key = { [S in keyof English & string]: `${S}.${keyof English[S] & string}` }[keyof English & string];
type WordOf<K> = K extends `${infer S}.${infer W}` ? (S extends keyof English ? (W extends keyof English[S] ? English[S][W] : never) : never) : never;
type Rest<K> = [Placeholders<WordOf<K>>] extends [never] ? [] : [parameters: Parameters<WordOf<K>>];
/** Keys of words without placeholders. */
export type PlainKey = { [K in Key]: [Placeholders<WordOf<K>>] extends [never] ? K : never }[Key];

const dictionaries: Record<Language, Words> = { en, de };

export function text<K extends Key>(key: K, ...[parameters]: Rest<K>): string {
  return write(find(dictionaries[language()], key), parameters ?? {});
}

/** The same for a key that was made of a value, such as an error's code. */
export function textOf(key: PlainKey): string {
  return write(find(dictionaries[language()], key), {});
}

function find(words: Words, key: string): Word {
  const dot = key.indexOf(".");
  return words[key.slice(0, dot)]?.[key.slice(dot + 1)] ?? key;
}

function write(word: Word, parameters: Record<string, string | number>): string {
  const count = Number(parameters["count"] ?? 0);
  const form = typeof word === "string" ? word : new Intl.PluralRules(language()).select(count) === "one" ? word.one : word.other;
  return form.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = parameters[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? new Intl.NumberFormat(locale()).format(value) : value;
  });
}
