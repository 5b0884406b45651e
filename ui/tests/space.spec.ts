import { everyLook, expect, open, picture, test } from "./harness";

everyLook("space-off", { scene: "space-off", route: "/space" }, async (page) => expect(page.getByText("You keep nobody's data yet")).toBeVisible());
everyLook("space-used", { scene: "space-used", route: "/space" }, async (page) => expect(page.getByText("18.2 GB of 20 GB")).toBeVisible());

test("by keyboard: the offer is changed with the slider", async ({ page }) => {
  await open(page, { scene: "space-used", route: "/space" });
  await page.getByRole("slider", { name: "Space offered to others" }).focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByText("Leaves 51.5 GB free on this disk when all of it is used.")).toBeVisible();
  const save = page.getByRole("button", { name: "Change the offer" });
  for (let presses = 0; presses < 6 && !(await save.evaluate((button) => button === document.activeElement)); presses += 1) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByText("You offer 200 GB now.")).toBeVisible();
  await expect(save).toBeHidden();
  const calls = await page.evaluate(() => window.mock?.calls.filter(({ name }) => name === "offer"));
  expect(calls).toEqual([{ name: "offer", request: { bytes: 200e9 } }]);
});

test("the offer never goes below what is used or above what is free", async ({ page }) => {
  await open(page, { scene: "space-used", route: "/space" });
  await page.getByLabel("Exactly").fill("20");
  await expect(page.getByText("37.5 GB are used already: it cannot be less.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Change the offer" })).toBeDisabled();
  await page.getByLabel("Unit").selectOption("TB");
  await expect(page.getByText("Only 252 GB can be offered on this disk.")).toBeVisible();
  await page.getByLabel("Exactly").fill("much");
  await expect(page.getByText("Type a number.")).toBeVisible();
  await picture(page, "space-error");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByLabel("Exactly")).toHaveValue("100");
});

test("a disk that does not tell, and many people", async ({ page }) => {
  await open(page, { scene: "space-full-disk", route: "/space" });
  await expect(page.getByText("The system does not tell how much is free on this disk.")).toBeVisible();
  await picture(page, "space-unknown");
});
