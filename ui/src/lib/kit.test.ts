import { beforeEach, expect, test } from "vitest";

import { preferences } from "../state/preferences.svelte";
import { kitBody, kitDocument, kitFileName, type Kit } from "./kit";

const kit: Kit = { nickname: "alice <b>", fingerprint: "7f3a 91c2", words: Array.from({ length: 24 }, (_, index) => `word${index + 1}`), madeAt: Date.UTC(2026, 2, 14), waysIn: ["bob.example:4001"] };

beforeEach(() => {
  preferences.language = "en";
});

test("the kit has all words in order, who it is of, and no mark-up of others", () => {
  const body = kitBody(kit);
  expect([...body.matchAll(/<li><b>(\d+)<\/b>(word\d+)<\/li>/g)].map((match) => match[2])).toEqual(kit.words);
  expect(body).toContain("7f3a 91c2");
  expect(body).toContain("bob.example:4001");
  expect(body).not.toContain("<b>alice");
  expect(body).toContain("alice &#60;b&#62;");
  expect(body).toContain("<path d=\"M");
});

test("the kit loads nothing from anywhere", () => {
  expect(kitDocument(kit)).not.toMatch(/https?:|<script|src=|url\(|@import/);
});

test("its file has a name that every system takes", () => {
  expect(kitFileName(kit)).toBe("BitDust-alice-b.html");
  expect(kitFileName({ ...kit, nickname: "///" })).toBe("BitDust-kit.html");
});

test("it speaks German too", () => {
  preferences.language = "de";
  expect(kitDocument(kit)).toContain('<html lang="de">');
});
