import { everyLook, expect, open, picture, test, type Page } from "./harness";

const drop = (page: Page, ...paths: string[]): Promise<void> => page.evaluate((paths) => window.mock?.drop({ kind: "drop", paths }), paths);
const calls = (page: Page, ...names: string[]): Promise<string[]> => page.evaluate((names) => (window.mock?.calls ?? []).map(({ name }) => name).filter((name) => names.includes(name)), names);
const requests = (page: Page, name: string): Promise<unknown[]> => page.evaluate((name) => (window.mock?.calls ?? []).filter((call) => call.name === name).map(({ request }) => request), name);
const dialog = (page: Page) => page.getByRole("dialog");
const card = (page: Page, name: string) => page.getByRole("article", { name, exact: true });
const said = (words: string) => async (page: Page) => expect(page.getByText(words)).toBeVisible();
const dropped = (path: string, words: string) => async (page: Page) => {
  await drop(page, path);
  await expect(dialog(page).getByText(words)).toBeVisible();
};

const route = "/folders";
everyLook("folders-empty", { scene: "folders-empty", route }, said("No folder yet"));
everyLook("folders-working", { scene: "folders-working", route }, said("about 1 hr 42 mins left"));
everyLook("folders-many", { scene: "folders-many", route }, async (page) => expect(card(page, "Archive")).toBeVisible());
everyLook("folders-sixty", { scene: "folders-sixty", route }, async (page) => {
  await card(page, "2024").scrollIntoViewIfNeeded();
  await expect(card(page, "2024")).toBeInViewport();
});
everyLook("folder-quiet", { scene: "folder-quiet", route }, said("Up to date"));
everyLook("folder-changed", { scene: "folder-changed", route }, said("It is backed up in 1 minute."));
everyLook("folder-backing-up", { scene: "folder-backing-up", route }, said("Being backed up"));
everyLook("folder-failed", { scene: "folder-failed", route }, said("The disk is full. It is tried again in 5 minutes."));
everyLook("folder-away", { scene: "folder-away", route }, said("Its disk may not be connected, or it was moved."));
everyLook("folder-watch", { scene: "folder-watch", route }, said("Changes in it are not noticed at once."));
everyLook("folder-problems", { scene: "folder-problems", route }, said("31 things are not protected"));
everyLook("folders-loading", { scene: "folders-loading", route }, said("Loading…"));
everyLook("folders-node-error", { scene: "folders-node-error", route }, said("An unexpected error happened"));
everyLook("folders-add-looking", { scene: "folders-empty", route }, dropped("/home/alice/Slow", "Looking through the folder…"));
everyLook("folders-add", { scene: "folders-empty", route }, async (page) => {
  await dropped("/home/alice/Pictures", "8,214 files, 41.6 GB")(page);
  await dialog(page).getByRole("checkbox", { name: "Caches and build output" }).check();
  await dialog(page).getByText("2 things are left out").click();
  await expect(dialog(page).getByText("project/node_modules")).toBeVisible();
});
everyLook("folders-add-cut", { scene: "folders-empty", route }, dropped("/home/alice/Huge", "More than 4,871,203 files, 9.1 TB"));
everyLook("folders-add-failed", { scene: "folders-empty", route }, dropped("/media/alice/Gone", "The folder cannot be read"));
everyLook("folders-change", { scene: "folders-many", route }, async (page) => {
  await page.getByRole("button", { name: "More for Documents" }).click();
  await page.getByRole("menuitem", { name: "Change…" }).click();
  await expect(dialog(page).getByRole("checkbox", { name: "Temporary files" })).toBeChecked();
  await expect(dialog(page).getByText("7,906 files")).toBeVisible();
});
everyLook("folders-remove", { scene: "folders-many", route }, async (page) => {
  await page.getByRole("button", { name: "More for Pictures" }).click();
  await page.getByRole("menuitem", { name: "Remove…" }).click();
  await expect(page.getByText("Versions that are stored stay")).toBeVisible();
});

test("a folder is picked, thinned and protected by keyboard", async ({ page }) => {
  await open(page, { scene: "folders-empty", route });
  await page.getByRole("button", { name: "Add folder" }).focus();
  await page.keyboard.press("Enter");
  await expect(dialog(page).getByText("8,214 files, 41.6 GB")).toBeVisible();
  await tabTo(page, "combobox", "When it is backed up");
  await page.keyboard.press("ArrowDown");
  await tabTo(page, "checkbox", "Temporary files");
  await page.keyboard.press("Space");
  await expect(dialog(page).getByText("2 things are left out")).toBeVisible();
  await tabTo(page, "button", "Protect this folder");
  await page.keyboard.press("Enter");
  await expect(card(page, "Music")).toContainText("Every hour");
  await expect(card(page, "Music")).toContainText("Left out: Temporary files");
  expect(await calls(page, "folder_estimate", "folder_add", "folder_change", "backup")).toEqual(["folder_estimate", "folder_estimate", "folder_add", "folder_change", "backup"]);
});

test("a schedule is changed by keyboard", async ({ page }) => {
  await open(page, { scene: "folders-many", route });
  await page.getByRole("button", { name: "More for Projects" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("menuitem", { name: "Change…" })).toBeFocused();
  await page.keyboard.press("Enter");
  await tabTo(page, "combobox", "When it is backed up");
  await page.keyboard.type("Every day");
  await tabTo(page, "button", "Save changes");
  await page.keyboard.press("Enter");
  await expect(dialog(page)).toBeHidden();
  await expect(card(page, "Projects")).toContainText("Every day");
});

test("a folder is removed by keyboard, after what stays was said", async ({ page }) => {
  await open(page, { scene: "folders-many", route });
  await page.getByRole("button", { name: "More for Pictures" }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowUp");
  await expect(page.getByRole("menuitem", { name: "Remove…" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByText("Versions that are stored stay")).toBeVisible();
  await tabTo(page, "button", "Stop protecting");
  await page.keyboard.press("Enter");
  await expect(card(page, "Pictures")).toBeHidden();
  await expect(page.getByText("Pictures is no longer backed up.")).toBeVisible();
});

test("several folders that are dropped are asked about one by one, and none is passed over", async ({ page }) => {
  await open(page, { scene: "folders-empty", route });
  await drop(page, "/home/alice/Pictures", "/home/alice/Music/", "/home/alice/Music", "/home/alice/Letters");
  await expect(dialog(page)).toContainText("2 more folders are asked about after this one.");
  await dialog(page).getByRole("button", { name: "Protect this folder" }).click();
  await expect(dialog(page)).toContainText("/home/alice/Music");
  await dialog(page).getByRole("button", { name: "Skip this one" }).click();
  await expect(dialog(page)).toContainText("/home/alice/Letters");
  await dialog(page).getByRole("button", { name: "Protect this folder" }).click();
  await expect(dialog(page)).toBeHidden();
  await expect(page.getByRole("article")).toHaveCount(2);
});

test("a folder can be protected while it is still looked through", async ({ page }) => {
  await open(page, { scene: "folders-empty", route });
  await dropped("/home/alice/Slow", "Looking through the folder…")(page);
  await dialog(page).getByRole("button", { name: "Protect this folder" }).click();
  await expect(card(page, "Slow")).toBeVisible();
});

test("a file cannot be protected, and why is said", async ({ page }) => {
  await open(page, { scene: "folders-empty", route });
  await dropped("/home/alice/letter.txt", "This is a file, not a folder")(page);
  await picture(page, "folders-add-file");
  await expect(dialog(page).getByRole("button", { name: "Protect this folder" })).toBeDisabled();
});

test("a pattern that cannot be used is named, and corrected", async ({ page }) => {
  await open(page, { scene: "folders-empty", route });
  await dropped("/home/alice/Pictures", "8,214 files, 41.6 GB")(page);
  const patterns = dialog(page).getByRole("textbox", { name: "Your own patterns" });
  await patterns.fill("[");
  await expect(dialog(page).getByText("One of your patterns cannot be used")).toBeVisible();
  await patterns.fill("*.bak");
  await expect(dialog(page).getByText("2 things are left out")).toBeVisible();
});

test("an empty folder and one of which all is left out are told apart", async ({ page }) => {
  await open(page, { scene: "folders-empty", route });
  await dropped("/home/alice/Empty", "The folder is empty")(page);
  await dialog(page).getByRole("textbox", { name: "Your own patterns" }).fill("*.bak");
  await expect(dialog(page).getByText("The folder is empty")).toBeVisible();
  await dialog(page).getByRole("button", { name: "Cancel" }).click();
  await dropped("/home/alice/Pictures", "8,214 files, 41.6 GB")(page);
  await dialog(page).getByRole("textbox", { name: "Your own patterns" }).fill("*");
  await expect(dialog(page).getByText("Nothing would be backed up")).toBeVisible();
});

test("a folder that is there already keeps its settings", async ({ page }) => {
  await open(page, { scene: "folders-many", route });
  await dropped("/home/alice/Documents/", "This folder is here already.")(page);
  await picture(page, "folders-known");
  await expect(dialog(page).getByRole("textbox", { name: "Your own patterns" })).toHaveValue("old/");
  await dialog(page).getByRole("button", { name: "Save changes" }).click();
  await expect(dialog(page)).toBeHidden();
  expect(await calls(page, "folder_add", "folder_change")).toEqual(["folder_change"]);
  await expect(card(page, "Documents")).toContainText("1 pattern of your own");
});

test("other disks inside a folder are left out when somebody says so", async ({ page }) => {
  await open(page, { scene: "folders-many", route });
  await page.getByRole("button", { name: "More for Pictures" }).click();
  await page.getByRole("menuitem", { name: "Change…" }).click();
  await dialog(page).getByRole("checkbox", { name: "Other disks inside it" }).check();
  await dialog(page).getByRole("button", { name: "Save changes" }).click();
  await expect(dialog(page)).toBeHidden();
  expect(await requests(page, "folder_estimate")).toMatchObject([{ crosses_mounts: true }, { crosses_mounts: false }]);
  expect(await requests(page, "folder_change")).toMatchObject([{ crosses_mounts: false }]);
  await expect(card(page, "Pictures")).toContainText("Without other disks inside it");
});

test("a folder inside or around another is added only after that was said", async ({ page }) => {
  await open(page, { scene: "folders-many", route });
  await dropped("/home/alice/Pictures/2024", "It lies in /home/alice/Pictures, which is backed up already")(page);
  await picture(page, "folders-inside");
  await dialog(page).getByRole("button", { name: "Cancel" }).click();
  await dropped("/home/alice", "Pictures, Documents, Music, Projects and New")(page);
});

test("a first backup that has to wait for another is no failure", async ({ page }) => {
  await open(page, { scene: "folders-working", route });
  await dropped("/home/alice/Letters", "8,214 files")(page);
  await dialog(page).getByRole("button", { name: "Protect this folder" }).click();
  await expect(page.getByText("Letters was added. Its first backup begins when the one that runs is done.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Back up now: Letters" })).toBeDisabled();
});

test("what was typed stays when a folder cannot be added", async ({ page }) => {
  await open(page, { scene: "folders-empty", route });
  await dropped("/home/alice/Pictures", "8,214 files")(page);
  await dialog(page).getByRole("textbox", { name: "Your own patterns" }).fill("*.bak");
  await page.evaluate(() => window.mock?.refuse("folder_change", "disk_full"));
  await dialog(page).getByRole("button", { name: "Protect this folder" }).click();
  await expect(dialog(page).getByText("The disk is full")).toBeVisible();
  await page.evaluate(() => window.mock?.refuse("folder_change", null));
  await dialog(page).getByRole("button", { name: "Protect this folder" }).click();
  await expect(dialog(page)).toBeHidden();
  await expect(page.getByRole("article")).toHaveCount(1);
  expect(await requests(page, "folder_change")).toMatchObject([{ excludes: ["*.bak"] }, { excludes: ["*.bak"] }]);
});

test("a folder that somebody else removes takes its dialog with it", async ({ page }) => {
  await open(page, { scene: "folders-many", route });
  await page.getByRole("button", { name: "More for Pictures" }).click();
  await page.getByRole("menuitem", { name: "Change…" }).click();
  await expect(dialog(page)).toBeVisible();
  await page.evaluate(() => window.mock?.world.setStatus({ folders: window.mock.world.status.folders.slice(1) }));
  await expect(dialog(page)).toBeHidden();
});

test("what is typed is not lost when the folder's state changes", async ({ page }) => {
  await open(page, { scene: "folders-many", route });
  await page.getByRole("button", { name: "More for Pictures" }).click();
  await page.getByRole("menuitem", { name: "Change…" }).click();
  await dialog(page).getByRole("textbox", { name: "Your own patterns" }).fill("*.bak");
  await page.evaluate(() => window.mock?.world.setStatus({ folders: window.mock.world.status.folders.map((folder) => ({ ...folder, state: { kind: "backing_up" as const } })) }));
  await dialog(page).getByRole("button", { name: "Save changes" }).click();
  await expect(card(page, "Pictures")).toContainText("Left out: 1 pattern of your own");
});

test("a folder that is away is not asked for a backup", async ({ page }) => {
  await open(page, { scene: "folder-away", route });
  await expect(page.getByRole("button", { name: "Back up now" })).toBeDisabled();
  await expect(page.getByText("Changes in it are not noticed at once.")).toBeHidden();
});

test("each reason is said once, with what helps, and all names can be shown", async ({ page }) => {
  await open(page, { scene: "folder-problems", route });
  await expect(page.getByText("It cannot be read", { exact: true })).toHaveCount(1);
  await expect(page.getByText("and 3 more")).toBeVisible();
  await expect(page.getByText("18 more are counted but not listed.")).toBeVisible();
  await page.getByRole("button", { name: "Show all that are listed" }).click();
  await expect(page.getByText("keys/4.pem")).toBeVisible();
  await expect(page.getByText("secret", { exact: true })).toHaveCount(1);
});

test("the overview leads to the folder itself", async ({ page }) => {
  await open(page, { scene: "folders-sixty", route: "/overview" });
  await page.getByRole("link", { name: "2023" }).click();
  await expect(card(page, "2023")).toBeFocused();
  await expect(card(page, "2023")).toBeInViewport();
});

/** Goes on by Tab until the control has the focus. */
async function tabTo(page: Page, role: "button" | "checkbox" | "combobox", name: string): Promise<void> {
  const wanted = page.getByRole(role, { name, exact: true });
  for (let pressed = 0; pressed < 30; pressed += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  await expect(wanted).toBeFocused();
}
