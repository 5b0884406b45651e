import { checkAccess, everyLook, expect, open, picture, test } from "./harness";

const scenes = ["protected", "empty", "backing-up", "waiting-for-suppliers", "waiting-alone", "standing-still", "confirming", "amber-phrase", "folder-missing", "supplier-lost", "pieces-owed", "would-lose", "problems", "test-failed", "clock-wrong", "restore-only", "awaits-restore", "replaced", "behind", "catching-up", "catalogue-damaged", "practice", "huge"];
for (const scene of scenes) everyLook(`overview-${scene}`, { scene });

test("German is complete and nothing is cut off", async ({ page }) => {
  await open(page, { scene: "problems", language: "de", width: 800 });
  await expect(page.getByText("Stored safely")).toHaveCount(0);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(800);
  await picture(page, "overview-de");
});

test("a running job is cancelled after a question", async ({ page }) => {
  await open(page, { scene: "backing-up" });
  await page.getByRole("button", { name: /^Cancel: Backing up Pictures/ }).click();
  const dialog = page.getByRole("dialog", { name: "Cancel this?" });
  await expect(dialog).toContainText("keeps its last finished version");
  await checkAccess(page);
  await picture(page, "overview-cancel");
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("progressbar")).toBeVisible();
  await page.getByRole("button", { name: /^Cancel: / }).click();
  await page.getByRole("button", { name: "Cancel it" }).click();
  await expect(page.getByRole("progressbar")).toHaveCount(0);
});

test("the phrase is checked, and the reminder goes", async ({ page }) => {
  await open(page, { scene: "amber-phrase" });
  await expect(page.getByText("protected", { exact: true })).toHaveCount(0);
  await page.getByRole("button", { name: "Check the words" }).click();
  for (const [index, field] of (await page.getByLabel(/^Word \d+$/).all()).entries()) await field.fill(index === 3 ? "wrong" : "letter");
  await picture(page, "overview-phrase");
  await checkAccess(page);
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("These are not the 24 words");
  await page.getByLabel("Word 4", { exact: true }).fill("letter");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(page.getByRole("button", { name: "Check the words" })).toHaveCount(0);
});

test("a test restore is asked for", async ({ page }) => {
  await open(page, { scene: "protected" });
  await page.getByRole("button", { name: "Test now" }).click();
  await expect(page.getByText("A test restore begins")).toBeVisible();
  expect(await page.evaluate(() => window.mock?.calls.find(({ name }) => name === "verify")?.request)).toEqual({ sample: 20 });
});

test("practice suppliers that are switched off are seen at once, and what is kept stays", async ({ page }) => {
  await open(page, { scene: "practice" });
  const section = page.getByRole("region", { name: "Practice suppliers" });
  await expect(section.getByText("All 6 can be reached now. 4 may fail at the same time.", { exact: true })).toBeVisible();
  await page.getByRole("switch", { name: "Ben" }).click();
  await expect(page.getByRole("switch", { name: "Ben" })).not.toBeChecked();
  await expect(page.getByText("5 of 6 can be reached now; everything still comes back. 3 more may fail.", { exact: true })).toHaveCount(2);
  await expect(page.getByTitle(/^Ben .*: holds a piece, away now$/)).toBeVisible();
  for (const name of ["Carla", "David", "Emma"]) await page.getByRole("switch", { name }).click();
  await expect(page.getByText("2 of 6 can be reached now; everything still comes back. Nobody else may fail.", { exact: true })).toHaveCount(2);
  // Their pieces are still there.
  await expect(page.getByText("6 of 6 kept")).toBeVisible();
  await checkAccess(page);
  await picture(page, "overview-practice-four-off");
  await page.getByRole("switch", { name: "Felix" }).click();
  await expect(page.getByText("1 of 6 can be reached now: too few to bring everything back.", { exact: true })).toHaveCount(2);
  await page.getByRole("switch", { name: "Ben" }).click();
  await expect(page.getByText(/^2 of 6 can be reached now; everything still comes back/)).toHaveCount(2);
});

test("who can be reached now is told beside what is kept", async ({ page }) => {
  await open(page, { scene: "suppliers-four-away" });
  await expect(page.getByText("6 of 6 kept")).toBeVisible();
  await expect(page.getByText("2 of 6 can be reached now; everything still comes back. Nobody else may fail.", { exact: true })).toBeVisible();
  await expect(page.getByTitle(/: holds a piece, away now$/)).toHaveCount(4);
  await checkAccess(page);
  await picture(page, "overview-four-away");
  await open(page, { scene: "protected" });
  await expect(page.getByText("6 of 6 kept")).toBeVisible();
  await expect(page.getByText(/can be reached/)).toHaveCount(0);
});

test("somebody who is connected to nobody is told so, and what helps", async ({ page }) => {
  await open(page, { scene: "waiting-alone" });
  await expect(page.getByText(/^You are not connected to anyone yet. Invite a friend/)).toBeVisible();
  await expect(page.getByText("You are not connected to anyone yet.", { exact: true })).toBeVisible();
  await expect(page.getByText(/asked by/)).toHaveCount(0);
  await page.getByRole("link", { name: "Invite a friend" }).click();
  await expect(page.getByText("You are not connected to anyone yet.", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Find more people" }).click();
  await page.getByRole("button", { name: "Look for them" }).click();
  await expect(page.getByText("You are not connected to anyone yet. We look for people as soon as you are.")).toBeVisible();
});

test("a bar is not full while people are waited for, and what is left is said", async ({ page }) => {
  await open(page, { scene: "confirming" });
  const bar = page.getByRole("progressbar", { name: "Backing up Pictures" });
  await expect(bar).not.toHaveAttribute("aria-valuenow");
  const [line, inside] = await Promise.all([bar.boundingBox(), bar.locator("div").boundingBox()]);
  expect(inside?.width ?? 0).toBeLessThan((line?.width ?? 0) / 2);
  await expect(page.getByText("Waiting for dmitri and grete to come online: 3 of 5 people have confirmed the last piece")).toBeVisible();
  await expect(page.getByText("26.6 GB still to send to people who are offline")).toBeVisible();
  await open(page, { scene: "backing-up" });
  await expect(page.getByRole("progressbar")).toHaveAttribute("aria-valuenow", "39");
});

test("a backup that ends tells who is still owed something, until it is read or all is safe", async ({ page }) => {
  await open(page, { scene: "pieces-owed" });
  const end = (owed: string[]) => page.evaluate((owed) => {
    const progress = { files_done: 41, files_total: 41, bytes_done: 1, bytes_total: 1, bytes_moved: 1 };
    window.mock?.world.tell({ event: "ended", job: 7, report: { outcome: "complete", progress, snapshots: [], problems: [], problems_unlisted: 0, remarks: [], new_bytes: 0, packed_bytes: 0, error: null, message: null, verified: null, protection: { kind: "stored", confirmed: 4, needed: 5 }, owed } });
  }, owed);
  await end(["clara · 1234 5678", "farid · 1234 5678"]);
  const banner = page.locator(".banner").filter({ hasText: "Backed up, but not safe yet" });
  await expect(banner).toContainText("4 of the 5 people needed have confirmed it. clara and farid get the rest once online.");
  await checkAccess(page);
  await picture(page, "overview-backup-ended");
  await banner.getByRole("button", { name: "Dismiss" }).click();
  await expect(banner).toHaveCount(0);
  await end(["clara · 1234 5678"]);
  await expect(banner).toContainText("clara gets the rest once online.");
  await page.evaluate(() => window.mock?.world.setStatus({ protection: { kind: "safe" } }));
  await expect(banner).toHaveCount(0);
});

test("the newest version says who has it", async ({ page }) => {
  await open(page, { scene: "protected" });
  await expect(page.getByText("Newest version: no. 48, confirmed by 6 of 6")).toBeVisible();
  await page.evaluate(() => window.mock?.world.setStatus({ head: { sequence: 49, written_at: Date.now(), confirmed: 5, of: 6 } }));
  await expect(page.getByText("Newest version: no. 49, confirmed by 5 of 6")).toBeVisible();
  await open(page, { scene: "restore-many-versions", route: "/restore" });
  await expect(page.getByText("Newest version: no. 48, confirmed by 6 of 6.")).toBeVisible();
});

test("the button fits the trouble, who is missing is listed, and nothing green stands beside red", async ({ page }) => {
  await open(page, { scene: "would-lose" });
  await expect(page.getByRole("heading", { name: "Your data could be lost" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Back up now" })).toHaveCount(0);
  const missing = page.locator(".banner.bad");
  await expect(missing).toContainText("5 people who keep your data cannot be counted on now");
  await expect(missing.getByRole("listitem")).toHaveText([/^clara, seen /, /^dmitri, seen /, /^eva, seen /, /^farid, seen /, /^grete, seen /]);
  await expect(page.getByText("2 hours ago", { exact: true }).first()).toBeVisible();
  await expect(page.locator("main .good, main .calm.held")).toHaveCount(0);
  await page.getByRole("link", { name: "See who is missing" }).click();
  await expect(page.getByRole("heading", { name: "People keeping your data" })).toBeVisible();
  await open(page, { scene: "test-failed" });
  await expect(page.getByRole("heading", { name: "2 files did not come back whole" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Back up now" })).toHaveCount(0);
  await expect(page.getByRole("link", { name: "Look at suppliers" })).toBeVisible();
  await expect(page.locator("main .good, main .calm.held")).toHaveCount(0);
});

test("no backup is offered of folders that are not there", async ({ page }) => {
  await open(page, { scene: "folder-away" });
  await expect(page.getByRole("heading", { name: "Documents is not there now" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Back up now" })).toHaveCount(0);
});

test("pieces are on their way only while a backup runs", async ({ page }) => {
  await open(page, { scene: "backing-up" });
  await expect(page.getByText(/^They are being sent to \d+ people\.$/)).toBeVisible();
  await page.evaluate(() => window.mock?.world.setStatus({ jobs: [] }));
  await expect(page.getByText("They are sent with your first backup.")).toBeVisible();
  await expect(page.getByText(/^They are being sent/)).toHaveCount(0);
});

test("a failed call is said with a hint and stays until it was read", async ({ page }) => {
  await open(page, { scene: "supplier-lost" });
  await page.evaluate(() => window.mock?.refuse("backup", "too_few_suppliers"));
  await page.getByRole("button", { name: "Back up now" }).click();
  const toast = page.getByRole("alert").filter({ hasText: "There are too few suppliers" });
  await expect(toast).toContainText("Invite friends");
  await checkAccess(page);
  await picture(page, "overview-failed-call");
  await toast.getByRole("button", { name: "Dismiss" }).click();
  await expect(toast).toHaveCount(0);
});

test("a folder that is dragged over the window has a place to go", async ({ page }) => {
  await open(page, { scene: "empty" });
  await page.evaluate(() => window.mock?.drop({ kind: "enter" }));
  await expect(page.getByText("Drop to protect this folder")).toBeVisible();
  await checkAccess(page);
  await picture(page, "overview-drop");
  await page.evaluate(() => window.mock?.drop({ kind: "drop", paths: ["/home/alice/Music"] }));
  await expect(page.getByText("Drop to protect this folder")).toBeHidden();
  await expect(page.getByRole("dialog")).toContainText("/home/alice/Music");
});

test("an unknown survival figure is said to be unknown", async ({ page }) => {
  await open(page, { scene: "protected" });
  await expect(page.getByText("Not measured yet")).toBeVisible();
  await expect(page.getByText("All 3 folders are stored safely with 6 people")).toBeVisible();
});
