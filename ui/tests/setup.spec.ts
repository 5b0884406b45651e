import { everyLook, expect, open, picture, test, type Page } from "./harness";

async function toKeys(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Start here" }).click();
  await page.getByLabel("Nickname").fill("alice");
  await page.getByRole("button", { name: "Next" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("How this computer keeps your keys");
}

async function toWords(page: Page): Promise<void> {
  await toKeys(page);
  await page.getByRole("button", { name: "Create" }).click();
  await expect(page.getByRole("list", { name: "The 24 words" })).toBeVisible();
}

async function toCheck(page: Page): Promise<void> {
  await toWords(page);
  await page.getByLabel("I keep them in a safe place").check();
  await page.getByRole("button", { name: "Check three words" }).click();
  await expect(page.getByLabel(/^Word \d+$/)).toHaveCount(3);
}

everyLook("setup-welcome", { scene: "first-run" });
everyLook("setup-welcome-again", { scene: "first-run-again" });
everyLook("setup-name", { scene: "first-run" }, async (page) => {
  await page.getByRole("button", { name: "Start here" }).click();
  await page.getByLabel("Nickname").fill("alice");
});
everyLook("setup-keys", { scene: "first-run" }, toKeys);
everyLook("setup-keys-file", { scene: "first-run-no-keyring" }, async (page) => {
  await toKeys(page);
  await page.getByLabel("In a file without protection").check();
});
everyLook("setup-keys-passphrase", { scene: "first-run-no-keyring" }, async (page) => {
  await toKeys(page);
  await page.getByLabel("Passphrase", { exact: true }).fill("blue kettle");
});
everyLook("setup-words", { scene: "first-run" }, toWords);
everyLook("setup-check", { scene: "first-run" }, async (page) => {
  // The places are random: a picture wants the same ones.
  await page.evaluate(() => {
    const bytes = [2, 10, 20];
    crypto.getRandomValues = (array) => {
      if (array instanceof Uint8Array) array[0] = bytes.shift() ?? 0;
      return array;
    };
  });
  await toCheck(page);
});
everyLook("setup-locked", { scene: "locked" });
everyLook("setup-starting", { scene: "starting" });
everyLook("setup-recovering", { scene: "recovering" });
for (const scene of ["failed-newer", "failed-disk", "failed-held", "failed-keyring", "failed-other"]) everyLook(`setup-${scene}`, { scene });

everyLook("recover-words", { scene: "first-run" }, async (page) => {
  await page.getByRole("button", { name: "Restore from 24 words" }).click();
  await page.getByLabel("Word 1", { exact: true }).fill("letter");
});
everyLook("recover-way", { scene: "first-run" }, async (page) => {
  await typePhrase(page, "letter ".repeat(24));
});
everyLook("recover-wrong-word", { scene: "first-run" }, async (page) => {
  await typePhrase(page, "letter ".repeat(6) + "abov " + "letter ".repeat(17));
  await findBackups(page);
  await expect(page.getByText("“above”?")).toBeVisible();
});
everyLook("recover-found", { scene: "first-run" }, async (page) => {
  await typePhrase(page, "letter ".repeat(24));
  await findBackups(page);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Here you are, alice");
});

everyLook("recover-found-reader", { scene: "first-run" }, async (page) => {
  await typePhrase(page, "letter ".repeat(24));
  await page.getByText("Only restore here").click();
  await findBackups(page);
  await expect(page.getByText("This computer only restores")).toBeVisible();
  const asked = await page.evaluate(() => window.mock?.calls.find(({ name }) => name === "recover")?.request);
  expect(asked).toMatchObject({ recover_as: "reader" });
});

async function typePhrase(page: Page, words: string): Promise<void> {
  await page.getByRole("button", { name: "Restore from 24 words" }).click();
  await page.getByLabel("Word 1", { exact: true }).evaluate((field, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text", text);
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, words);
  await page.getByRole("button", { name: "Next" }).click();
  await expect(page.getByLabel("Address or invitation")).toBeVisible();
}

async function findBackups(page: Page): Promise<void> {
  await page.getByLabel("Address or invitation").fill("bob.example:4001");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("button", { name: "Find my backups" }).click();
}

test("the first run goes by keyboard alone", async ({ page }) => {
  await open(page, { scene: "first-run" });
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Start here" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Nickname")).toBeFocused();
  await page.keyboard.type("alice");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "How this computer keeps your keys" })).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.getByLabel("In the keyring of this system")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
  const words = await page.getByRole("list", { name: "The 24 words" }).getByRole("listitem").allInnerTexts();
  expect(words).toHaveLength(24);
  const kept = page.getByLabel("I keep them in a safe place");
  for (let tabs = 0; tabs < 4; tabs += 1) await page.keyboard.press("Tab");
  await expect(kept).toBeFocused();
  await page.keyboard.press("Space");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const fields = page.getByLabel(/^Word \d+$/);
  await expect(fields.first()).toBeFocused();
  for (const label of await page.locator("label").allInnerTexts()) {
    const place = Number(/\d+/.exec(label)?.[0]);
    await page.keyboard.type(words[place - 1]?.replace(/^\d+\s*/, "") ?? "");
    await page.keyboard.press("Tab");
  }
  await fields.first().focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("navigation", { name: "Main navigation" })).toBeVisible();
  expect(await page.evaluate(() => window.mock?.calls.find(({ name }) => name === "create")?.request)).toEqual({ nickname: "alice", guard: { kind: "keyring" } });
});

test("wrong words are said and can be looked up again", async ({ page }) => {
  await open(page, { scene: "first-run" });
  await toCheck(page);
  for (const field of await page.getByLabel(/^Word \d+$/).all()) await field.fill("zebra");
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("Not all three are right");
  await page.getByRole("button", { name: "Show the words again" }).click();
  await expect(page.getByRole("list", { name: "The 24 words" })).toBeVisible();
});

test("the kit is copied, saved and printed, and leaves no words in the page", async ({ page }) => {
  await open(page, { scene: "first-run", width: 820, height: 1160 });
  await toWords(page);
  await page.getByRole("button", { name: "Copy words" }).click();
  expect(await page.evaluate(() => window.mock?.copied[0]?.split(" ").length)).toBe(24);
  await page.getByRole("button", { name: "Save kit" }).click();
  await expect(page.getByText("Kit saved as /home/alice/BitDust-alice.html")).toBeVisible();
  await page.getByRole("button", { name: "Print kit" }).click();
  expect(await page.evaluate(() => window.mock?.prints)).toBe(1);
  await page.emulateMedia({ media: "print" });
  await expect(page.locator("#print")).toBeVisible();
  await expect(page.locator("#app")).toBeHidden();
  await picture(page, "kit-print");
  await page.emulateMedia({ media: "screen" });
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  await expect(page.locator("#print")).toHaveCount(0);
});

test("the saved kit is a page on its own", async ({ page, browser }) => {
  await open(page, { scene: "first-run" });
  await toWords(page);
  await page.getByRole("button", { name: "Save kit" }).click();
  const html = await page.evaluate(() => window.mock?.saved[0]?.html ?? "");
  expect(html).not.toMatch(/https?:|<script|src=/);
  const paper = await browser.newPage({ viewport: { width: 794, height: 600 } });
  await paper.setContent(html);
  // One page of A4 and of Letter alike.
  expect(await paper.evaluate(() => document.documentElement.scrollHeight)).toBeLessThanOrEqual(1056);
  await paper.setViewportSize({ width: 794, height: 1123 });
  await picture(paper, "kit");
  await paper.close();
});

test("a wrong passphrase is said, the right one opens", async ({ page }) => {
  await open(page, { scene: "locked" });
  await expect(page.getByLabel("Passphrase")).toBeFocused();
  await page.keyboard.type("hello");
  await page.keyboard.press("Enter");
  await expect(page.getByText("This passphrase does not open the keys.")).toBeVisible();
  await page.getByLabel("Passphrase").fill("open sesame");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("navigation", { name: "Main navigation" })).toBeVisible();
});

test("German reads well at 800", async ({ page }) => {
  await open(page, { scene: "first-run", width: 800, language: "de" });
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Ein sicherer Ort");
  await picture(page, "setup-welcome-de");
});
