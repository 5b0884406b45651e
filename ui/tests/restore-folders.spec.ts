import type { JobOutcome, Problem } from "../src/backend/bindings";
import { checkAccess, everyLook, expect, open, test, type Page } from "./harness";

interface Ending {
  outcome: JobOutcome;
  files_done: number;
  problems?: Problem[];
  error?: "cancelled" | "disk_full";
}

/** Ends a job as a node would: it leaves the status, then its report comes. */
async function end(page: Page, job: number, ending: Ending): Promise<void> {
  await page.evaluate(
    ([job, { outcome, files_done, problems = [], error = null }]) => {
      const world = window.mock?.world;
      const progress = { files_done, files_total: files_done, bytes_done: 1, bytes_total: 1, bytes_moved: 1 };
      world?.setStatus({ jobs: world.status.jobs.filter(({ id }) => id !== job) });
      world?.tell({ event: "ended", job, report: { outcome, progress, snapshots: [], problems, problems_unlisted: 0, remarks: [], new_bytes: 0, packed_bytes: 0, error, message: null, verified: null, protection: null, owed: [] } });
    },
    [job, { ...ending, problems: ending.problems ?? [], error: ending.error ?? null }] as const,
  );
}

function restores(page: Page): Promise<unknown[] | undefined> {
  return page.evaluate(() => window.mock?.calls.filter(({ name }) => name === "restore").map(({ request }) => request));
}

async function begin(page: Page): Promise<void> {
  await page.getByRole("button", { name: "All folders back…" }).click();
  await page.getByRole("button", { name: "Restore 3 folders" }).click();
  await expect(page.getByText("Bringing 3 folders back")).toBeVisible();
}

const several = { scene: "restore-several-folders", route: "/restore" };
const lost: Problem = { path: [...new TextEncoder().encode("/home/alice/Documents/lost.odt")], code: "too_few_shards", detail: "too few people have it" };

everyLook("restore-everything", several, async (page) => {
  await page.getByRole("button", { name: "All folders back…" }).click();
  await expect(page.getByText("Put 3 folders back where they were?")).toBeVisible();
});
everyLook("restore-everything-running", several, async (page) => {
  await begin(page);
  await end(page, 21, { outcome: "complete", files_done: 8_214 });
  await expect(page.getByText("Waits for its turn")).toHaveCount(1);
});
everyLook("restore-everything-report", several, async (page) => {
  await begin(page);
  await end(page, 21, { outcome: "complete", files_done: 8_214 });
  await end(page, 22, { outcome: "partial", files_done: 3_120, problems: [lost] });
  await end(page, 23, { outcome: "failed", files_done: 40, error: "disk_full" });
  await expect(page.getByText("1 of 3 folders are back in full")).toBeVisible();
});

test("all folders come back one after the other, and each says how many files", async ({ page }) => {
  await open(page, several);
  await page.getByRole("button", { name: "All folders back…" }).click();
  const dialog = page.getByRole("dialog");
  for (const folder of ["Pictures", "Documents", "Letters"]) await expect(dialog.getByText(`Back where they were: /home/alice/${folder}`)).toBeVisible();
  await page.getByRole("radio", { name: "Leave them alone" }).check();
  await expect(dialog.getByText("Only what is missing in it comes back.")).toHaveCount(3);
  await page.getByRole("button", { name: "Restore 3 folders" }).click();
  await expect(page.getByText("Waits for its turn")).toHaveCount(2);
  expect(await restores(page)).toHaveLength(1);
  await end(page, 21, { outcome: "complete", files_done: 8_214 });
  await expect(page.getByText("Waits for its turn")).toHaveCount(1);
  await end(page, 22, { outcome: "partial", files_done: 3_120, problems: [lost] });
  await expect(page.getByText("/home/alice/Documents/lost.odt")).toBeVisible();
  await end(page, 23, { outcome: "complete", files_done: 412 });
  await expect(page.getByText("2 of 3 folders are back in full")).toBeVisible();
  await expect(page.getByText("1 file could not be restored. 3,119 files are back.")).toBeVisible();
  expect(await restores(page)).toMatchObject(Array.from({ length: 3 }, () => ({ only: [], to: null, conflict: "skip" })));
});

test("stopping cancels what runs and begins nothing more", async ({ page }) => {
  await open(page, several);
  await begin(page);
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Stop" }).click();
  await expect(page.getByText("Was not begun")).toHaveCount(2);
  await end(page, 21, { outcome: "cancelled", files_done: 100, error: "cancelled" });
  await expect(page.getByText("The restore was stopped. What it had brought back was removed again, unless it was changed since.")).toBeVisible();
  expect(await restores(page)).toHaveLength(1);
  const cancelled = await page.evaluate(() => window.mock?.calls.filter(({ name }) => name === "cancel").map(({ request }) => request));
  expect(cancelled).toEqual([{ job: 21 }]);
});

test("from 24 words to the names, and from the names to all folders", async ({ page }) => {
  await open(page, { scene: "first-run" });
  await page.getByRole("button", { name: "Restore from 24 words" }).click();
  await page.getByLabel("Word 1", { exact: true }).evaluate((field) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text", "letter ".repeat(24));
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  });
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByLabel("Address or invitation").fill("bob.example:4001");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("button", { name: "Find my backups" }).click();
  const found = page.getByRole("list", { name: "Folders that were found" });
  await expect(found.getByRole("listitem")).toHaveCount(3);
  await expect(found.getByText("/home/alice/Letters")).toBeVisible();
  expect(await restores(page)).toEqual([]);
  await page.getByRole("button", { name: "Put all back…" }).click();
  await expect(page.getByRole("dialog", { name: "Put 3 folders back where they were?" })).toBeVisible();
  await checkAccess(page);
  await page.getByRole("button", { name: "Restore 3 folders" }).click();
  await end(page, 21, { outcome: "complete", files_done: 8_214 });
  await end(page, 22, { outcome: "complete", files_done: 3_120 });
  await end(page, 23, { outcome: "complete", files_done: 412 });
  await expect(page.getByText("All 3 folders are back")).toBeVisible();
});

test("the address of all folders asks once and begins nothing by itself", async ({ page }) => {
  await open(page, several);
  await page.evaluate(() => (location.hash = "#/restore/everything"));
  await expect(page.getByRole("dialog", { name: "Put 3 folders back where they were?" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Put everything back" })).toBeVisible();
  expect(await page.evaluate(() => location.hash)).toBe("#/restore");
  expect(await restores(page)).toEqual([]);
});
