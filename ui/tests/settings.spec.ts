import { checkAccess, everyLook, expect, open, picture, test } from "./harness";

everyLook("settings", { scene: "settings", route: "/settings" }, async (page) => expect(page.getByText("In the system's keyring")).toBeVisible());
for (const section of ["network", "computer", "backup", "about"]) {
  everyLook(`settings-${section}`, { scene: "settings", route: `/settings/${section}` }, async (page) => expect(page.getByRole("tabpanel").getByRole("heading").first()).toBeVisible());
}

for (const section of ["security", "network", "backup"]) {
  test(`odd settings of ${section} are told`, async ({ page }) => {
    await open(page, { scene: "settings-odd", route: `/settings/${section}` });
    await checkAccess(page);
    await picture(page, `settings-odd-${section}`);
  });
}

test("in German all of it is German", async ({ page }) => {
  await open(page, { scene: "settings-odd", route: "/settings", language: "de", width: 800 });
  await expect(page.getByText("Noch nie abgefragt", { exact: true })).toBeVisible();
  await picture(page, "settings-german");
});

test("by keyboard: a way in is added and kept", async ({ page }) => {
  await open(page, { scene: "settings", route: "/settings" });
  await page.getByRole("tab", { name: "Security" }).focus();
  await page.keyboard.press("ArrowRight");
  const field = page.getByLabel("Ways in");
  await field.focus();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("\nnode.example.net");
  await expect(page.getByText("“node.example.net” is no address.")).toBeVisible();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("/dns/node.example.net/tcp/4001");
  await page.getByRole("button", { name: "Save" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByText("Saved.")).toBeVisible();
  const calls = await page.evaluate(() => window.mock?.calls.filter(({ name }) => name === "settings_set"));
  expect(calls).toEqual([{ name: "settings_set", request: { key: "bootstrap", value: "/dns/node.example.net/tcp/4001" } }]);
});

test("by keyboard: the words are checked", async ({ page }) => {
  await open(page, { scene: "settings", route: "/settings" });
  await page.getByRole("button", { name: "Type my words" }).click();
  await page.keyboard.type(`${"word ".repeat(23)}wrong`);
  await page.keyboard.press("Enter");
  await expect(page.getByText(/These are not the words/)).toBeVisible();
  await checkAccess(page);
  await picture(page, "settings-drill");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("right");
  await page.keyboard.press("Enter");
  await expect(page.getByText("These are your words. Put the paper back where it was.")).toBeVisible();
});

test("starting with the computer is asked of the shell", async ({ page }) => {
  await open(page, { scene: "settings", route: "/settings/computer" });
  const toggle = page.getByRole("switch", { name: "Start with this computer" });
  await expect(toggle).not.toBeChecked();
  await toggle.click();
  await expect(toggle).toBeChecked();
});

test("a theme that is chosen changes at once and is kept, whatever the desktop has", async ({ page }) => {
  const shown = page.locator("html");
  const choice = page.getByLabel("Appearance");
  await open(page, { scene: "settings", route: "/settings/computer", theme: "light" });
  await choice.selectOption({ label: "Dark" });
  await expect(shown).toHaveAttribute("data-theme", "dark");
  await page.reload();
  await expect(choice).toHaveValue("dark");
  await expect(shown).toHaveAttribute("data-theme", "dark");
  await choice.selectOption({ label: "As the system" });
  await expect(shown).toHaveAttribute("data-theme", "light");
  await choice.selectOption({ label: "Light" });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.reload();
  await expect(choice).toHaveValue("light");
  await expect(shown).toHaveAttribute("data-theme", "light");
});

test("the space to ask for is changed", async ({ page }) => {
  await open(page, { scene: "settings", route: "/settings/backup" });
  await page.getByRole("form", { name: "Space to ask of each" }).getByLabel("Amount").fill("25");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved.")).toBeVisible();
  await expect(page.getByRole("form", { name: "Space to ask of each" }).getByLabel("Amount")).toHaveValue("25");
});

test("licences can be looked through", async ({ page }) => {
  await open(page, { scene: "settings", route: "/settings/about" });
  await page.getByLabel("Search packages").fill("svelte");
  await expect(page.getByRole("listitem").filter({ hasText: "svelte" }).first()).toContainText("MIT");
});
