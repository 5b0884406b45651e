import { expect, test } from "vitest";

import { passphraseGrade } from "./passphrase";

test.each([
  ["", "none"],
  ["secret", "short"],
  ["aaaaaaaaaaaaaaaaaaaaaaaaaa", "short"],
  ["blue kettle on", "fair"],
  ["blue kettle on the roof at noon", "good"],
])("%j is %s", (passphrase, grade) => expect(passphraseGrade(passphrase)).toBe(grade));
