import { beforeEach, expect, test } from "vitest";

import { preferences } from "../state/preferences.svelte";
import { headWords, keptWords } from "./head-words";

beforeEach(() => {
  preferences.language = "en";
});

test("a version has a number and people who confirmed it", () => {
  const head = { sequence: 1_048, written_at: 0, confirmed: 5, of: 6 };
  expect(headWords(head)).toBe("Newest version: no. 1048, confirmed by 5 of 6");
  expect(headWords({ ...head, confirmed: 0 })).toBe("Newest version: no. 1048, confirmed by nobody yet");
});

test("each version says who has it", () => {
  expect(keptWords({ confirmed: 5, of: 6 })).toBe("confirmed by 5 of 6 people");
  expect(keptWords({ confirmed: 0, of: 6 })).toBe("confirmed by nobody yet");
});
