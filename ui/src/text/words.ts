/**
 * The types of the dictionaries. English is the measure: its keys, its placeholders `{name}`
 * and its plural forms are what every other language must have.
 */

/** Chosen by the parameter `count`. */
export interface Plural {
  one: string;
  other: string;
}

export type Word = string | Plural;
export type Words = Record<string, Record<string, Word>>;

/** A section of another language. */
export type Translated<Section> = { [K in keyof Section]: Section[K] extends string ? string : Plural };

type Names<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
type PluralNames<P> = P extends { one: infer One; other: infer Other } ? Names<One> | Names<Other> | "count" : never;
export type Placeholders<W> = W extends string ? Names<W> : PluralNames<W>;

/** What stands for a placeholder; numbers are written as the language does. */
export type Parameters<W> = Record<Placeholders<W>, string | number>;
