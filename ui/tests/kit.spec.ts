/** The kit on paper: one page of A4 and of Letter, in each language, saved and printed. */
import { expect, open, picture, test, type Page } from "./harness";

const LANGUAGES = [
  { language: "en", begin: "Start here", nickname: "Nickname", next: "Next", create: "Create", save: "Save kit", print: "Print kit" },
  { language: "de", begin: "Hier anfangen", nickname: "Name", next: "Weiter", create: "Erstellen", save: "Blatt speichern", print: "Blatt drucken" },
] as const;
const PAPERS = ["A4", "Letter"] as const;
/** As long as a nickname may be. */
const NICKNAME = "maximiliane-von-und-zu-hohenstein";

for (const words of LANGUAGES) {
  for (const format of PAPERS) {
    test(`the kit in ${words.language} is one page of ${format}`, async ({ page, browser }) => {
      await toWords(page, words);
      await page.getByRole("button", { name: words.save }).click();
      const html = await page.evaluate(() => window.mock?.saved[0]?.html ?? "");
      const paper = await browser.newPage({ viewport: { width: 794, height: 1123 } });
      await paper.setContent(html);
      expect(pagesOf(await paper.pdf({ format }))).toBe(1);
      await picture(paper, `kit-${words.language}`);
      await paper.close();
      await page.getByRole("button", { name: words.print }).click();
      expect(pagesOf(await page.pdf({ format }))).toBe(1);
    });
  }

  test(`the kit in ${words.language} has four steps of one line, and a code that a camera can read`, async ({ page, browser }) => {
    await toWords(page, words);
    await page.getByRole("button", { name: words.save }).click();
    const html = await page.evaluate(() => window.mock?.saved[0]?.html ?? "");
    const paper = await browser.newPage({ viewport: { width: 794, height: 1123 } });
    await paper.emulateMedia({ media: "print" });
    await paper.setContent(html);
    const lines = await paper.locator(".steps li").evaluateAll((steps) => steps.map((step) => Math.round(step.clientHeight / Number.parseFloat(getComputedStyle(step).lineHeight))));
    expect(lines).toEqual([1, 1, 1, 1]);
    const code = await paper.locator("figure svg").evaluate((svg) => {
      const box = svg.getBoundingClientRect();
      const modules = Number(svg.getAttribute("viewBox")?.split(" ")[2]);
      const others = [...document.querySelectorAll(".columns > div, figcaption, .steps, footer")].map((other) => other.getBoundingClientRect());
      const away = Math.min(...others.map((other) => Math.max(box.left - other.right, other.top - box.bottom, box.top - other.bottom)));
      const millimetre = 96 / 25.4;
      return { module: box.width / modules / millimetre, quiet: away / (box.width / modules), isSquare: Math.abs(box.width - box.height) < 1 };
    });
    expect(code.isSquare).toBe(true);
    expect(code.module, "millimetres of a module").toBeGreaterThan(0.6);
    expect(code.quiet, "modules of white around the code").toBeGreaterThanOrEqual(4);
    await paper.close();
  });
}

test("pages are counted", async ({ browser }) => {
  const paper = await browser.newPage();
  await paper.setContent('<p style="break-after: page">one</p><p>two</p>');
  expect(pagesOf(await paper.pdf())).toBe(2);
  await paper.close();
});

async function toWords(page: Page, { language, begin, nickname, next, create }: (typeof LANGUAGES)[number]): Promise<void> {
  await open(page, { scene: "first-run", language });
  await page.getByRole("button", { name: begin }).click();
  await page.getByLabel(nickname).fill(NICKNAME);
  await page.getByRole("button", { name: next }).click();
  await page.getByRole("button", { name: create }).click();
  await expect(page.locator("ol li").nth(23)).toBeVisible();
}

function pagesOf(pdf: Buffer): number {
  return pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
}
