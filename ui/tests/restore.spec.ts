import { checkAccess, everyLook, expect, open, picture, test, type Page } from "./harness";

everyLook("restore-empty", { scene: "restore-empty", route: "/restore" }, async (page) => expect(page.getByText("Nothing to restore yet")).toBeVisible());
everyLook("restore-many-versions", { scene: "restore-many-versions", route: "/restore" }, async (page) => expect(page.getByText("café 50%.txt")).toBeVisible());
everyLook("restore-unreachable", { scene: "restore-unreachable", route: "/restore" }, async (page) => expect(page.getByText("This folder cannot be shown now")).toBeVisible());

everyLook("restore-running", { scene: "restore-running", route: "/restore" }, async (page) => expect(page.getByText("2026/summer/IMG_2041.mov")).toBeVisible());
everyLook("restore-million", { scene: "restore-million", route: "/restore" }, async (page) => expect(page.getByText("IMG_0000000.jpg")).toBeVisible());
everyLook("restore-several-folders", { scene: "restore-several-folders", route: "/restore" }, async (page) => expect(page.getByText("notes.txt")).toBeVisible());
everyLook("restore-loading", { scene: "restore-loading", route: "/restore" }, async (page) => expect(page.getByText("The versions are being listed")).toBeAttached());
everyLook("restore-listing", { scene: "restore-listing", route: "/restore" }, async (page) => expect(page.getByRole("status").getByText("Loading")).toBeAttached());
everyLook("restore-versions-away", { scene: "restore-versions-away", route: "/restore" }, async (page) => expect(page.getByText("The versions cannot be listed")).toBeVisible());
everyLook("restore-confirm", { scene: "restore-many-versions", route: "/restore" }, async (page) => {
  await page.getByRole("checkbox", { name: "Choose notes.txt" }).check();
  await page.getByRole("checkbox", { name: "Choose 2026" }).check();
  await page.getByRole("button", { name: "Restore 2 selected" }).click();
  await expect(page.getByText("notes (restored).txt")).toBeVisible();
});
everyLook("restore-report", { scene: "restore-many-versions", route: "/restore" }, async (page) => {
  await page.getByRole("button", { name: "Put everything back" }).click();
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await expect(page.getByText("4 files could not be restored")).toBeVisible();
});
everyLook("restore-search", { scene: "restore-many-versions", route: "/restore" }, async (page) => {
  await search(page, "inside");
  await expect(page.getByText("3 results")).toBeVisible();
});
everyLook("restore-search-none", { scene: "restore-many-versions", route: "/restore" }, async (page) => {
  await search(page, "nothing");
  await expect(page.getByText("No name in any version contains this.")).toBeVisible();
});
everyLook("restore-preview-text", { scene: "restore-many-versions", route: "/restore" }, async (page) => {
  await page.getByRole("button", { name: "Preview notes.txt" }).click();
  await expect(page.getByText("the pictures of the summer")).toBeVisible();
});
everyLook("restore-preview-image", { scene: "restore-many-versions", route: "/restore" }, async (page) => {
  await page.getByRole("button", { name: "Preview evening.png" }).click();
  await expect(page.getByRole("img", { name: "evening.png" })).toBeVisible();
});
everyLook("restore-file-versions", { scene: "restore-many-versions", route: "/restore" }, async (page) => {
  await page.getByRole("button", { name: "Versions of notes.txt" }).click();
  await expect(page.getByText("4 different states")).toBeVisible();
});

test("everything goes back after the place and the conflict were shown, and the report names what did not", async ({ page }) => {
  await open(page, { scene: "restore-many-versions", route: "/restore" });
  await page.getByRole("button", { name: "Put everything back" }).click();
  await expect(page.getByText("Back where they were: /home/alice/Pictures")).toBeVisible();
  await page.getByRole("radio", { name: "Replace them" }).check();
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await expect(page.getByText("4 files could not be restored")).toBeVisible();
  await expect(page.getByText("8,210 files are back.")).toBeVisible();
  await expect(page.getByText("/home/alice/Pictures/2026/lost.jpg")).toBeVisible();
  const calls = await page.evaluate(() => window.mock?.calls.filter(({ name }) => name === "restore").map(({ request }) => request));
  expect(calls).toMatchObject([{ only: [], to: null, conflict: "replace" }]);
});

test("a folder of a million files opens at once and stays small", async ({ page }) => {
  await open(page, { scene: "restore-million", route: "/restore" });
  const list = page.getByRole("grid", { name: "Files of this version" });
  await expect(page.getByText("IMG_0000000.jpg")).toBeVisible();
  await list.evaluate((frame) => frame.scrollTo(0, 900 * 40));
  await expect(page.getByText("IMG_0000905.jpg")).toBeVisible();
  await list.evaluate((frame) => frame.scrollTo(0, frame.scrollHeight));
  await expect(page.getByText("IMG_0001000.jpg")).toBeAttached();
  expect(await list.getByRole("row").count()).toBeLessThan(120);
});

test("a name is found in any version and shown where it is; text is previewed", async ({ page }) => {
  await open(page, { scene: "restore-many-versions", route: "/restore" });
  await page.getByRole("button", { name: "Search by name" }).click();
  await page.getByRole("textbox", { name: "Part of a name" }).fill("inside");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: /2026\/inside\.jpg/ }).click();
  await expect(page.getByRole("checkbox", { name: "Choose inside.jpg" })).toBeVisible();
  await page.getByRole("button", { name: "All files" }).click();
  await page.getByRole("button", { name: "Preview notes.txt" }).click();
  await expect(page.getByText("the pictures of the summer")).toBeVisible();
});

test("a backup that ends while the dialog is open keeps dialog, version and choice", async ({ page }) => {
  await open(page, { scene: "restore-growing", route: "/restore" });
  await page.getByRole("checkbox", { name: "Choose notes.txt" }).check();
  await page.getByRole("button", { name: "Restore 1 selected" }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.evaluate(() => window.mock?.world.setStatus({ head: { sequence: 999_999, written_at: Date.now(), confirmed: 6, of: 6 } }));
  await expect(page.getByRole("listbox", { name: "Versions" }).getByRole("option")).toHaveCount(3);
  await expect(page.getByRole("dialog")).toBeVisible();
  await expect(page.getByRole("checkbox", { name: "Choose notes.txt" })).toBeChecked();
});

test("after a search result, another folder opens at its top", async ({ page }) => {
  await open(page, { scene: "restore-many-versions", route: "/restore" });
  await page.getByRole("button", { name: "Search by name" }).click();
  await page.getByRole("textbox", { name: "Part of a name" }).fill("inside");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: /2026\/inside\.jpg/ }).click();
  await expect(page.getByRole("checkbox", { name: "Choose inside.jpg" })).toBeVisible();
  await page.getByLabel("Folder", { exact: true }).selectOption("/home/alice/Documents");
  await page.waitForFunction(() => (window.mock?.calls.filter(({ name }) => name === "list").length ?? 0) >= 3);
  const last = await page.evaluate(() => window.mock?.calls.filter(({ name }) => name === "list").at(-1)?.request);
  expect(last).toMatchObject({ target: expect.stringMatching(/:$/) });
});

test("the same search result opens its place a second time", async ({ page }) => {
  await open(page, { scene: "restore-many-versions", route: "/restore" });
  for (let round = 0; round < 2; round += 1) {
    await page.getByRole("button", { name: "Search by name" }).click();
    await page.getByRole("textbox", { name: "Part of a name" }).fill("inside");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: /2026\/inside\.jpg/ }).click();
    await expect(page.getByRole("checkbox", { name: "Choose inside.jpg" })).toBeVisible();
    await page.getByRole("button", { name: "All files" }).click();
    await expect(page.getByRole("checkbox", { name: "Choose notes.txt" })).toBeVisible();
  }
});

test("a stopped restore says that it was taken back", async ({ page }) => {
  await open(page, { scene: "restore-several-folders", route: "/restore" });
  await page.getByRole("button", { name: "Put everything back" }).click();
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await expect(page.getByText("2026/summer/IMG_2041.mov")).toBeVisible();
  await page.evaluate(() => {
    const progress = { files_done: 3_207, files_total: 3_300, bytes_done: 1, bytes_total: 2, bytes_moved: 1 };
    window.mock?.world.setStatus({ jobs: [] });
    window.mock?.world.tell({ event: "ended", job: 21, report: { outcome: "cancelled", progress, snapshots: [], problems: [], problems_unlisted: 0, remarks: [], new_bytes: 0, packed_bytes: 0, error: "cancelled", message: null, verified: null, protection: null, owed: [] } });
  });
  await expect(page.getByText("The restore was stopped")).toBeVisible();
  await expect(page.getByText("What it had brought back was removed again, unless it was changed since.")).toBeVisible();
});

test("a folder and what is in it count once", async ({ page }) => {
  await open(page, { scene: "restore-many-versions", route: "/restore" });
  await page.getByRole("button", { name: "2026", exact: true }).click();
  await page.getByRole("checkbox", { name: "Choose inside.jpg" }).check();
  await page.getByRole("button", { name: "All files" }).click();
  const folder = page.getByRole("checkbox", { name: "Choose 2026" });
  expect(await folder.evaluate((box: HTMLInputElement) => box.indeterminate)).toBe(true);
  await folder.check();
  await expect(page.getByRole("button", { name: "Restore 1 selected" })).toBeVisible();
  await page.getByRole("button", { name: "2026", exact: true }).click();
  await expect(page.getByRole("checkbox", { name: "Choose inside.jpg" })).toBeChecked();
  await expect(page.getByRole("checkbox", { name: "Choose inside.jpg" })).toBeDisabled();
  await page.getByRole("button", { name: "Do not choose it" }).click();
  await expect(page.getByRole("checkbox", { name: "Choose inside.jpg" })).not.toBeChecked();
  await expect(page.getByRole("button", { name: "Put everything back" })).toBeVisible();
});

test("a page that does not come leaves the pages before it, and comes when it is asked for again", async ({ page }) => {
  await open(page, { scene: "restore-page-fails", route: "/restore" });
  const list = page.getByRole("grid", { name: "Files of this version" });
  await expect(page.getByText("IMG_0000000.jpg")).toBeVisible();
  await list.evaluate((frame) => frame.scrollTo(0, frame.scrollHeight));
  await expect(page.getByText("The rest of this folder cannot be shown now.")).toBeVisible();
  await expect(page.getByText("IMG_0000999.jpg")).toBeVisible();
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByText("IMG_0001000.jpg")).toBeAttached();
  await expect(page.getByText("The rest of this folder cannot be shown now.")).toHaveCount(0);
});

test("a file has versions, from the list, from a search and from its preview", async ({ page }) => {
  await open(page, { scene: "restore-many-versions", route: "/restore" });
  await search(page, "inside");
  await page.getByRole("button", { name: "Versions of inside.jpg" }).click();
  await expect(page.getByRole("heading", { name: "Versions of inside.jpg" })).toBeVisible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Preview notes.txt" }).click();
  await page.getByRole("button", { name: "All its versions" }).click();
  await expect(page.getByText("4 different states")).toBeVisible();
  const rows = page.getByRole("dialog", { name: "Versions of notes.txt" }).getByRole("listitem");
  await rows.nth(2).getByRole("button", { name: /^Preview/ }).click();
  await expect(page.getByText("the pictures of the summer")).toHaveCount(2);
  await page.keyboard.press("Escape");
  await rows.nth(2).getByRole("button", { name: /^Restore that of .*M$|^Restore that of [^i]*$/ }).click();
  await expect(page.getByText("/home/alice/Pictures/notes.txt", { exact: true }).last()).toBeVisible();
  await page.getByRole("button", { name: "Restore", exact: true }).last().click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  const calls = await page.evaluate(() => window.mock?.calls.filter(({ name }) => name === "file_versions" || name === "restore").map(({ request }) => request));
  expect(calls).toMatchObject([{ target: expect.stringMatching(/^[0-9a-f]{64}:\/2026\/inside\.jpg$/) }, { target: expect.stringMatching(/:\/notes\.txt$/) }, { only: ["notes.txt"], to: null, conflict: "keep_both" }]);
});

test("a time that cannot be right is marked wherever it is shown", async ({ page }) => {
  const mark = "Wrong clock";
  await open(page, { scene: "restore-odd-times", route: "/restore" });
  const list = page.getByRole("listbox", { name: "Versions" });
  await expect(list.getByText(mark)).toHaveCount(1);
  await expect(page.getByText(/in 1 year/)).toHaveCount(0);
  expect(await list.locator(".soft").evaluateAll((words) => words.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).length), "words that are cut").toBe(0);
  await list.getByText(mark).click();
  // Beside the list, above its files.
  await expect(page.getByText(mark)).toHaveCount(2);
  await checkAccess(page);
  await picture(page, "restore-odd-times");
  await page.getByRole("button", { name: "Put everything back" }).click();
  await expect(page.getByRole("dialog").getByText(mark)).toBeVisible();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Preview notes.txt" }).click();
  await expect(page.getByRole("dialog").getByText(mark)).toBeVisible();
  await page.getByRole("button", { name: "All its versions" }).click();
  await expect(page.getByRole("dialog", { name: "Versions of notes.txt" }).getByRole("listitem").nth(1)).toContainText(mark);
  await expect(page.getByRole("dialog", { name: "Versions of notes.txt" }).getByText(mark)).toHaveCount(1);
  await checkAccess(page);
  await picture(page, "restore-odd-times-versions");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await search(page, "notes");
  await expect(page.getByRole("button", { name: /notes\.txt.*Wrong clock/ })).toBeVisible();
});

test("versions of a file that are not there, or not yet", async ({ page }) => {
  await open(page, { scene: "restore-file-versions-none", route: "/restore" });
  await page.getByRole("button", { name: "Versions of notes.txt" }).click();
  await expect(page.getByText("No version has this file.")).toBeVisible();
  await open(page, { scene: "restore-file-versions-loading", route: "/restore" });
  await page.getByRole("button", { name: "Versions of notes.txt" }).click();
  await expect(page.getByRole("dialog").getByRole("status")).toContainText("Loading");
});

test("versions of a file that cannot be had can be asked for again", async ({ page }) => {
  await open(page, { scene: "restore-file-versions-away", route: "/restore" });
  await page.getByRole("button", { name: "Versions of notes.txt" }).click();
  await expect(page.getByText("Its versions cannot be shown now")).toBeVisible();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.waitForFunction(() => window.mock?.calls.filter(({ name }) => name === "file_versions").length === 2);
});

async function search(page: Page, words: string): Promise<void> {
  await page.getByRole("button", { name: "Search by name" }).click();
  await page.getByRole("textbox", { name: "Part of a name" }).fill(words);
  await page.keyboard.press("Enter");
}
