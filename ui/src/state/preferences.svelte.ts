/** What a person chose for this window: theme and language, kept in the WebView's storage. */

export type Theme = "light" | "dark";
export type Language = "en" | "de";
export type ThemeChoice = Theme | "system";
export type LanguageChoice = Language | "system";

const dark = globalThis.matchMedia?.("(prefers-color-scheme: dark)");

let themeChoice = $state<ThemeChoice>(stored("theme", ["system", "light", "dark"], "system"));
let languageChoice = $state<LanguageChoice>(stored("language", ["system", "en", "de"], "system"));
let systemIsDark = $state(dark?.matches ?? false);

dark?.addEventListener("change", (event) => (systemIsDark = event.matches));

export const preferences = {
  get theme(): ThemeChoice {
    return themeChoice;
  },
  set theme(choice: ThemeChoice) {
    themeChoice = choice;
    keep("theme", choice);
  },
  get language(): LanguageChoice {
    return languageChoice;
  },
  set language(choice: LanguageChoice) {
    languageChoice = choice;
    keep("language", choice);
  },
};

/** The theme that is shown. */
export function theme(): Theme {
  if (themeChoice !== "system") return themeChoice;
  return systemIsDark ? "dark" : "light";
}

/** The language that is shown: the first of the system's that there is. */
export function language(): Language {
  if (languageChoice !== "system") return languageChoice;
  const wanted = globalThis.navigator?.languages ?? [];
  const known = wanted.map((tag) => tag.slice(0, 2)).find((tag) => tag === "en" || tag === "de");
  return known === "de" ? "de" : "en";
}

/** The language with the system's own habits for numbers and dates, where it is the same language. */
export function locale(): string {
  const shown = language();
  return (globalThis.navigator?.languages ?? []).find((tag) => tag.startsWith(shown)) ?? shown;
}

function stored<T extends string>(key: string, choices: readonly T[], fallback: T): T {
  const value = globalThis.localStorage?.getItem(`bitdust.${key}`);
  return choices.find((choice) => choice === value) ?? fallback;
}

function keep(key: string, value: string): void {
  globalThis.localStorage?.setItem(`bitdust.${key}`, value);
}
