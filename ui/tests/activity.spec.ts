import { checkAccess, everyLook, expect, open, picture, test } from "./harness";

everyLook("activity-empty", { scene: "activity-empty", route: "/activity" }, async (page) => expect(page.getByText("Nothing has happened yet")).toBeVisible());
everyLook("activity-100k", { scene: "activity-100k", route: "/activity" }, async (page) => expect(page.getByText("100,000 entries")).toBeVisible());

test("older lines come while it is scrolled, and only a few are drawn", async ({ page }) => {
  await open(page, { scene: "activity-100k", route: "/activity" });
  const list = page.getByRole("list", { name: "Activity, newest first" });
  const pages = () => page.evaluate(() => window.mock?.calls.filter(({ name }) => name === "history").length ?? 0);
  await expect.poll(pages).toBe(1);
  for (let wanted = 2; wanted <= 6; wanted += 1) {
    await list.evaluate((frame) => (frame.scrollTop = frame.scrollHeight));
    await expect.poll(pages).toBeGreaterThanOrEqual(wanted);
  }
  expect(await list.getByRole("listitem").count()).toBeLessThan(60);
});

test("it is filtered by the node, and a filter that fits nothing says so", async ({ page }) => {
  await open(page, { scene: "activity-100k", route: "/activity" });
  await page.getByLabel("Show").selectOption({ label: "Problems" });
  await expect(page.getByRole("list").getByText("can prove nothing of what it kept").first()).toBeVisible();
  await expect(page.getByRole("list").getByText("Backup finished").first()).toBeHidden();
  await page.getByLabel("Search in activity").fill("no such thing");
  await expect(page.getByText("Nothing fits")).toBeVisible();
  await picture(page, "activity-none");
  await page.getByRole("button", { name: "Show everything" }).click();
  await expect(page.getByText("100,000 entries")).toBeVisible();
});

test("what comes new stands on top", async ({ page }) => {
  await open(page, { scene: "activity-100k", route: "/activity" });
  await expect(page.getByText("100,000 entries")).toBeVisible();
  await page.evaluate(() => window.mock?.world.tell({ event: "notice", line: { number: 200_000, at: Date.now(), severity: "note", happening: { kind: "friend_made", name: "zoe · 1234 abcd" }, message: "" } }));
  await expect(page.getByRole("list", { name: "Activity, newest first" }).getByRole("listitem").nth(1)).toContainText("zoe · 1234 abcd is a friend now");
});

everyLook("activity-report", { scene: "activity-100k", route: "/activity" }, async (page) => {
  await page.getByRole("button", { name: "Report a bug…" }).click();
  const report = await page.getByLabel("The report").inputValue();
  for (const secret of ["alice", "bob", "Pictures", "192.0.2.7", "/home"]) expect(report).not.toContain(secret);
});

for (const width of [1280, 800]) {
  test(`a report is copied as it is shown at ${width}`, async ({ page }) => {
    await open(page, { scene: "activity-100k", route: "/activity", width });
    await page.getByRole("button", { name: "Report a bug…" }).click();
    const report = await page.getByLabel("The report").inputValue();
    await page.getByRole("button", { name: "Copy report" }).click();
    await expect(page.getByRole("button", { name: "Report copied" })).toBeVisible();
    expect(await page.evaluate(() => window.mock?.copied)).toEqual([report]);
  });
}

test("by keyboard: a line is opened and closed", async ({ page }) => {
  await open(page, { scene: "activity-100k", route: "/activity" });
  const line = page.getByRole("button", { name: /Backup finished, 3 things could not be protected/ }).first();
  await line.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toContainText("Message");
  await checkAccess(page);
  await picture(page, "activity-line");
  await page.keyboard.press("Escape");
  await expect(line).toBeFocused();
});
