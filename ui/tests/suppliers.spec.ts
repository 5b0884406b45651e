import { checkAccess, everyLook, expect, open, picture, test } from "./harness";

for (const scene of ["suppliers-none", "suppliers-six", "suppliers-two-away", "suppliers-owed", "suppliers-suspect", "suppliers-200"]) {
  everyLook(scene, { scene, route: "/suppliers" });
}

for (const scene of ["suppliers-one", "suppliers-two", "suppliers-lack", "suppliers-thirty"]) {
  test(`${scene} is a picture that can be read`, async ({ page }) => {
    await open(page, { scene, route: "/suppliers" });
    await checkAccess(page);
    await picture(page, scene);
  });
}

test("what may fail is told from those who can be reached now, beside what is kept", async ({ page }) => {
  await open(page, { scene: "suppliers-four-away", route: "/suppliers" });
  await expect(page.getByText("2 of 6 can be reached now; everything still comes back. Nobody else may fail.", { exact: true })).toBeVisible();
  await expect(page.getByRole("definition").filter({ hasText: "6 of 6" })).toBeVisible();
  await expect(page.getByText(/4 may fail/)).toHaveCount(0);
  await checkAccess(page);
  await picture(page, "suppliers-four-away");
  await open(page, { scene: "suppliers-suspect", route: "/suppliers" });
  await expect(page.getByText("4 of 6 can be reached now; everything still comes back. 2 more may fail.", { exact: true })).toBeVisible();
  await open(page, { scene: "suppliers-lack", route: "/suppliers" });
  await expect(page.getByText("Only 1 count now; 2 are needed.", { exact: true })).toBeVisible();
  await open(page, { scene: "suppliers-six", route: "/suppliers" });
  await expect(page.getByText("All 6 can be reached now. 4 may fail at the same time.", { exact: true })).toBeVisible();
});

test("the picture is told in words too", async ({ page }) => {
  await open(page, { scene: "suppliers-two-away", route: "/suppliers" });
  await expect(page.getByRole("img", { name: /6 hold a piece that counts; 4 people can be reached now. 2 are needed. 4 of 6 can be reached now; everything still comes back. 2 more may fail./ })).toBeVisible();
  await expect(page.getByText(/^dmitri .*: holds a piece, away now$/).last()).toBeAttached();
});

test("a piece that is not complete is not called held", async ({ page }) => {
  await open(page, { scene: "suppliers-owed", route: "/suppliers" });
  await expect(page.getByText(/^dmitri .*: its piece is not complete yet$/).last()).toBeAttached();
  await expect(page.getByText("4 of 6 can be reached now; everything still comes back. 2 more may fail.", { exact: true })).toBeVisible();
});

everyLook("invite", { scene: "invite", route: "/suppliers" }, async (page) => {
  await page.getByRole("button", { name: "Invite a friend" }).click();
  await expect(page.getByRole("img", { name: "The invitation as a QR code" })).toBeVisible();
});
everyLook("accept-error", { scene: "accept-error", route: "/suppliers" }, async (page) => {
  await page.getByRole("button", { name: "Accept an invitation" }).click();
  await page.getByLabel("Code or link").fill("bitdust-abc234");
  await page.getByRole("button", { name: "Accept", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("The invitation stays valid");
});
everyLook("hire", { scene: "suppliers-six", route: "/suppliers" }, async (page) => {
  await page.getByRole("button", { name: "Find more people" }).click();
  await expect(page.getByText("Any 2 of 6 are enough; 4 may fail.")).toBeVisible();
});

test("by keyboard: an invitation is made and copied", async ({ page }) => {
  await open(page, { scene: "invite", route: "/suppliers" });
  await page.getByRole("button", { name: "Invite a friend" }).focus();
  await page.keyboard.press("Enter");
  const copy = page.getByRole("button", { name: "Copy code" });
  await expect(copy).toBeVisible();
  for (let presses = 0; presses < 8 && !(await copy.evaluate((button) => button === document.activeElement)); presses += 1) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Code copied" })).toBeFocused();
  expect(await page.evaluate(() => window.mock?.copied)).toEqual([expect.stringMatching(/^bitdust-/)]);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(page.getByRole("button", { name: "Invite a friend" })).toBeFocused();
});

test("by keyboard: an invitation is accepted", async ({ page }) => {
  await open(page, { scene: "suppliers-none", route: "/suppliers" });
  await page.getByRole("button", { name: "Accept an invitation" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Code or link")).toBeFocused();
  await page.keyboard.type("bitdust://invite/bitdust-abc234");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByText(/henrik .* is a friend now/)).toBeVisible();
  await expect(page.getByRole("dialog")).toBeHidden();
  const calls = await page.evaluate(() => window.mock?.calls.filter(({ name }) => name === "accept"));
  expect(calls).toEqual([{ name: "accept", request: { code: "bitdust-abc234" } }]);
  await expect(page.getByText("Waiting to sign")).toBeVisible();
});

test("a link opens the dialog, filled in, from any view", async ({ page }) => {
  await open(page, { scene: "suppliers-six", route: "/overview" });
  await page.evaluate(() => window.mock?.invite("bitdust-abc234"));
  await expect(page.getByRole("dialog", { name: "Accept an invitation" })).toBeVisible();
  await expect(page.getByLabel("Code or link")).toHaveValue("bitdust-abc234");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
});

test("nothing is asked of the node without a code", async ({ page }) => {
  await open(page, { scene: "suppliers-six", route: "/suppliers" });
  await page.getByRole("button", { name: "Accept an invitation" }).click();
  await page.getByRole("button", { name: "Accept", exact: true }).click();
  await expect(page.getByText("Paste an invitation first.")).toBeVisible();
});

test("two hundred people can be looked through", async ({ page }) => {
  await open(page, { scene: "suppliers-200", route: "/suppliers" });
  await expect(page.getByText("170 more people have no piece.")).toBeVisible();
  await page.getByLabel("Find a person").fill("tove10");
  await expect(page.getByRole("listitem").filter({ hasText: "tove10" }).first()).toBeVisible();
});
