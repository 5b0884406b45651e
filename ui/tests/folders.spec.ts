import { everyLook, expect, open, picture, test } from "./harness";

everyLook("folders-empty", { scene: "folders-empty", route: "/folders" }, async (page) => expect(page.getByText("No folder yet")).toBeVisible());
everyLook("folders-many", { scene: "folders-many", route: "/folders" }, async (page) => expect(page.getByRole("article", { name: "Archive" })).toBeVisible());
everyLook("folder-problems", { scene: "folder-problems", route: "/folders" }, async (page) => {
  await page.getByText("3 things are not protected").click();
  await expect(page.getByText("/home/alice/Mail/open.db")).toBeVisible();
});

test("a dropped folder is estimated, thinned and protected, by keyboard", async ({ page }) => {
  await open(page, { scene: "folders-empty", route: "/folders" });
  await page.evaluate(() => window.mock?.drop({ kind: "drop", paths: ["/home/alice/Pictures"] }));
  await expect(page.getByText("8,214 files, 41.6 GB")).toBeVisible();
  await picture(page, "folders-add");
  await page.getByRole("checkbox", { name: "Temporary files" }).focus();
  await page.keyboard.press("Space");
  await expect(page.getByText("2 things are left out")).toBeVisible();
  await page.getByRole("button", { name: "Protect this folder" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("article", { name: "Pictures" })).toBeVisible();
  const calls = await page.evaluate(() => window.mock?.calls.map(({ name }) => name).filter((name) => name.startsWith("folder_") || name === "backup"));
  expect(calls).toEqual(["folder_estimate", "folder_estimate", "folder_add", "folder_change", "backup"]);
});

test("a folder is removed only after what stays was said", async ({ page }) => {
  await open(page, { scene: "folders-many", route: "/folders" });
  await page.getByRole("button", { name: "More for Pictures" }).click();
  await page.getByRole("menuitem", { name: "Remove…" }).click();
  await expect(page.getByText("Versions that are stored stay")).toBeVisible();
  await picture(page, "folders-remove");
  await page.getByRole("button", { name: "Stop protecting" }).click();
  await expect(page.getByRole("article", { name: "Pictures" })).toBeHidden();
});
