import { checkAccess, everyLook, expect, open, picture, test } from "./harness";

everyLook("machines-live", { scene: "machines-live", route: "/machines/supplier-link" }, async (page) => expect(page.getByRole("button", { name: "Contracted, live now: 4" })).toBeVisible());

const SLUGS = ["backup", "check", "customer-link", "fetch", "head", "recovery", "transfer", "unspool"];

for (const slug of SLUGS) {
  test(`the diagram of ${slug} is drawn`, async ({ page }) => {
    await open(page, { scene: "machines-live", route: `/machines/${slug}` });
    await checkAccess(page);
    await picture(page, `machine-${slug}`);
  });
}

test("by keyboard: a state is chosen, and its transitions are listed", async ({ page }) => {
  await open(page, { scene: "machines-live", route: "/machines/supplier-link" });
  await page.getByRole("button", { name: "Proposing" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Transitions of Proposing" })).toBeVisible();
  await expect(page.getByRole("row")).toHaveCount(1 + 10);
  await checkAccess(page);
  await picture(page, "machine-selected");
  await page.keyboard.press("Space");
  await expect(page.getByRole("heading", { name: "All transitions" })).toBeVisible();
});

test("two hundred machines of a kind are counted, not piled up", async ({ page }) => {
  await open(page, { scene: "machines-many", route: "/machines" });
  await expect(page.getByRole("button", { name: "Contracted, live now: 171" })).toBeVisible();
  await expect(page.getByText("and 159 more")).toBeVisible();
});

test("machines and their states have German names; the drawing keeps the engine's words", async ({ page }) => {
  await open(page, { scene: "machines-live", route: "/machines/supplier-link", language: "de" });
  await expect(page.getByRole("heading", { name: "Aufbewahrer", exact: true })).toBeVisible();
  await expect(page.getByRole("navigation", { name: "Automat" }).getByRole("link", { name: "Suche nach Aufbewahrern" })).toBeVisible();
  await expect(page.getByRole("list", { name: "Läuft gerade" })).toContainText("Vereinbart");
  await page.getByRole("button", { name: "Proposing" }).press("Enter");
  await expect(page.getByRole("heading", { name: "Übergänge von „Schlägt vor“" })).toBeVisible();
  await checkAccess(page);
  await picture(page, "machine-german");
});
