import { expect, open, test, type Page } from "./harness";

const FILES = "Files of this version";

/** The row that the keyboard is on, as ears are told. */
async function active(page: Page, role: "grid" | "listbox"): Promise<string> {
  return page.getByRole(role).evaluate((frame) => document.getElementById(frame.getAttribute("aria-activedescendant") ?? "")?.innerText.replace(/\s+/g, " ").trim() ?? "");
}

function listed(page: Page): Promise<number | undefined> {
  return page.evaluate(() => window.mock?.calls.filter(({ name }) => name === "list").length);
}

async function press(page: Page, ...keys: string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

/**
 * Types the beginning of a name and waits until the keyboard is on it. Letters that come a second apart
 * begin anew, which a busy machine may do to them: then all are typed again, after a longer pause.
 */
async function jumpTo(page: Page, letters: string, name: string): Promise<void> {
  await expect(async () => {
    await page.keyboard.type(letters);
    await expect.poll(() => active(page, "grid"), { timeout: 10_000 }).toContain(name);
  }).toPass({ intervals: [2_000] });
}

test("from choosing to the report without a mouse", async ({ page }) => {
  await open(page, { scene: "restore-many-versions", route: "/restore" });
  await expect(page.getByText("notes.txt")).toBeVisible();
  await page.getByRole("grid", { name: FILES }).focus();
  await press(page, "End", "Space", "Home", "ArrowDown", "Enter");
  await expect(page.getByText("inside.jpg")).toBeVisible();
  expect(await active(page, "grid")).toContain("inside.jpg");
  await press(page, "Space", "Backspace");
  await expect.poll(() => active(page, "grid")).toContain("2026");
  await press(page, "Shift+Tab", "Shift+Tab");
  await expect(page.getByRole("button", { name: "Restore 2 selected" })).toBeFocused();
  await press(page, "Enter");
  await expect(page.getByRole("dialog")).toBeVisible();
  await press(page, "Tab", "ArrowDown", "Tab");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Restore", exact: true })).toBeFocused();
  await press(page, "Enter");
  await expect(page.getByText("4 files could not be restored")).toBeVisible();
  const calls = await page.evaluate(() => window.mock?.calls.filter(({ name }) => name === "restore").map(({ request }) => request));
  expect(calls).toMatchObject([{ only: ["notes.txt", "2026/inside.jpg"], conflict: "replace" }]);
});

test("letters jump, Enter previews, Escape comes back to the row", async ({ page }) => {
  await open(page, { scene: "restore-many-versions", route: "/restore" });
  await expect(page.getByText("notes.txt")).toBeVisible();
  await page.getByRole("grid", { name: FILES }).focus();
  await jumpTo(page, "no", "notes.txt");
  await press(page, "Enter");
  await expect(page.getByRole("dialog")).toContainText("the pictures of the summer");
  await press(page, "Escape");
  await expect(page.getByRole("grid", { name: FILES })).toBeFocused();
  expect(await active(page, "grid")).toContain("notes.txt");
});

test("keys go through a folder of a million and draw only what is seen", async ({ page }) => {
  await open(page, { scene: "restore-million", route: "/restore" });
  const list = page.getByRole("grid", { name: FILES });
  await expect(page.getByText("IMG_0000000.jpg")).toBeVisible();
  await list.focus();
  await press(page, "ArrowDown", "PageDown");
  const paged = Number((await active(page, "grid")).match(/IMG_(\d+)/)?.[1]);
  expect(paged).toBeGreaterThan(5);
  await press(page, "PageUp", "End");
  await expect.poll(() => active(page, "grid")).toContain("IMG_0000999.jpg");
  await expect(page.getByText("IMG_0000999.jpg")).toBeInViewport();
  await press(page, "ArrowDown");
  await expect.poll(async () => (await press(page, "ArrowDown"), active(page, "grid"))).toContain("IMG_000100");
  await jumpTo(page, "img_0060123", "IMG_0060123.jpg");
  await expect(page.getByText("IMG_0060123.jpg")).toBeInViewport();
  expect(await list.getByRole("row").count()).toBeLessThan(120);
  await press(page, "Home", "Space");
  await expect(page.getByRole("button", { name: "Restore 1 selected" })).toBeVisible();
  await expect(page.getByText("IMG_0000000.jpg")).toBeInViewport();
  const before = await listed(page);
  await page.keyboard.type("0");
  expect(await listed(page)).toBe(before);
});

test("versions go by keys, stretch by stretch", async ({ page }) => {
  await open(page, { scene: "restore-many-versions", route: "/restore" });
  const list = page.getByRole("listbox", { name: "Versions" });
  await expect(list.getByText("Newest")).toBeVisible();
  await list.focus();
  const first = await active(page, "listbox");
  await press(page, "ArrowDown", "ArrowDown", "ArrowUp");
  expect(await active(page, "listbox")).not.toBe(first);
  await press(page, "ArrowRight", "ArrowRight");
  await press(page, "Enter");
  const chosen = await active(page, "listbox");
  await expect(list.getByRole("option", { selected: true })).toHaveCount(1);
  expect(chosen).toContain("12 Mar 2026");
  await expect(page.getByRole("heading", { level: 2 })).toContainText("12 Mar 2026");
  await press(page, "End");
  await expect.poll(() => active(page, "listbox")).toContain("2024");
  await press(page, "Home");
  await expect.poll(() => active(page, "listbox")).toBe(first);
});

test("what holds the keyboard is seen", async ({ page }) => {
  await open(page, { scene: "restore-many-versions", route: "/restore" });
  await expect(page.getByText("notes.txt")).toBeVisible();
  await page.getByRole("grid", { name: FILES }).focus();
  await press(page, "ArrowDown");
  const outline = await page.getByRole("grid", { name: FILES }).evaluate((frame) => getComputedStyle(document.getElementById(frame.getAttribute("aria-activedescendant") ?? "") ?? frame).outlineStyle);
  expect(outline).toBe("solid");
});
