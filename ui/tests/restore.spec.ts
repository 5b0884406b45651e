import { everyLook, expect, open, picture, test } from "./harness";

everyLook("restore-empty", { scene: "restore-empty", route: "/restore" }, async (page) => expect(page.getByText("Nothing to restore yet")).toBeVisible());
everyLook("restore-many-versions", { scene: "restore-many-versions", route: "/restore" }, async (page) => expect(page.getByText("café 50%.txt")).toBeVisible());
everyLook("restore-unreachable", { scene: "restore-unreachable", route: "/restore" }, async (page) => expect(page.getByText("This folder cannot be shown now")).toBeVisible());

test("everything goes back after the place and the conflict were shown, and the report names what did not", async ({ page }) => {
  await open(page, { scene: "restore-many-versions", route: "/restore" });
  await page.getByRole("button", { name: "Put everything back" }).click();
  await expect(page.getByText("Back where they were: /home/alice/Pictures")).toBeVisible();
  await picture(page, "restore-confirm");
  await page.getByRole("radio", { name: "Replace them" }).check();
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await expect(page.getByText("4 files could not be restored")).toBeVisible();
  await expect(page.getByText("/home/alice/Pictures/2026/lost.jpg")).toBeVisible();
  await picture(page, "restore-report");
  const calls = await page.evaluate(() => window.mock?.calls.filter(({ name }) => name === "restore").map(({ request }) => request));
  expect(calls).toMatchObject([{ only: [], to: null, conflict: "replace" }]);
});

test("single things are chosen in several folders by keyboard", async ({ page }) => {
  await open(page, { scene: "restore-many-versions", route: "/restore" });
  await page.getByRole("checkbox", { name: "Choose notes.txt" }).focus();
  await page.keyboard.press("Space");
  await page.getByRole("button", { name: "2026", exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("checkbox", { name: "Choose inside.jpg" }).focus();
  await page.keyboard.press("Space");
  await page.getByRole("button", { name: "Restore 2 selected" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Restore", exact: true }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByText("4 files could not be restored")).toBeVisible();
  const calls = await page.evaluate(() => window.mock?.calls.filter(({ name }) => name === "restore").map(({ request }) => request));
  expect(calls).toMatchObject([{ only: ["notes.txt", "2026/inside.jpg"] }]);
});

test("a folder of a million files opens at once and stays small", async ({ page }) => {
  await open(page, { scene: "restore-million", route: "/restore" });
  const list = page.getByRole("list", { name: "Files of this version" });
  await expect(page.getByText("IMG_0000000.jpg")).toBeVisible();
  await list.evaluate((frame) => frame.scrollTo(0, 900 * 40));
  await expect(page.getByText("IMG_0000905.jpg")).toBeVisible();
  await list.evaluate((frame) => frame.scrollTo(0, frame.scrollHeight));
  await expect(page.getByText("IMG_0001000.jpg")).toBeAttached();
  expect(await list.getByRole("listitem").count()).toBeLessThan(120);
});

test("a name is found in any version and shown where it is; text is previewed", async ({ page }) => {
  await open(page, { scene: "restore-many-versions", route: "/restore" });
  await page.getByRole("button", { name: "Search by name" }).click();
  await page.getByRole("textbox", { name: "Search by name" }).fill("inside");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: /2026\/inside\.jpg/ }).click();
  await expect(page.getByRole("checkbox", { name: "Choose inside.jpg" })).toBeVisible();
  await page.getByRole("button", { name: "All files" }).click();
  await page.getByRole("button", { name: "Preview notes.txt" }).click();
  await expect(page.getByText("the pictures of the summer")).toBeVisible();
  await picture(page, "restore-preview");
});

test("a backup that ends while the dialog is open keeps dialog, version and choice", async ({ page }) => {
  await open(page, { scene: "restore-growing", route: "/restore" });
  await page.getByRole("checkbox", { name: "Choose notes.txt" }).check();
  await page.getByRole("button", { name: "Restore 1 selected" }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.evaluate(() => window.mock?.world.setStatus({ head: { sequence: 999_999, written_at: Date.now(), confirmed: 6, of: 6 } }));
  await expect(page.getByRole("list", { name: "Versions" }).getByRole("listitem")).toHaveCount(3);
  await expect(page.getByRole("dialog")).toBeVisible();
  await expect(page.getByRole("checkbox", { name: "Choose notes.txt" })).toBeChecked();
});

test("after a search result, another folder opens at its top", async ({ page }) => {
  await open(page, { scene: "restore-many-versions", route: "/restore" });
  await page.getByRole("button", { name: "Search by name" }).click();
  await page.getByRole("textbox", { name: "Search by name" }).fill("inside");
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
    await page.getByRole("textbox", { name: "Search by name" }).fill("inside");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: /2026\/inside\.jpg/ }).click();
    await expect(page.getByRole("checkbox", { name: "Choose inside.jpg" })).toBeVisible();
    await page.getByRole("button", { name: "All files" }).click();
    await expect(page.getByRole("checkbox", { name: "Choose notes.txt" })).toBeVisible();
  }
});
