/**
 * What every spec begins with: opens a scene in a theme and a width under a fixed clock, checks it
 * with axe, and keeps its picture when pictures are asked for (`npm run screenshots`).
 */
import { expect, test as base, type Page } from "@playwright/test";
import axe from "axe-core";

declare global {
  interface Window {
    axe?: typeof axe;
  }
}

export { expect };
export type { Page };

export const NOW = new Date("2026-03-14T10:24:00+01:00");
export const THEMES = ["light", "dark"] as const;
export const WIDTHS = [1280, 800] as const;

export interface Opening {
  scene: string;
  /** What follows `#`: `/folders`. */
  route?: string;
  theme?: (typeof THEMES)[number];
  width?: number;
  height?: number;
  language?: "en" | "de";
}

/**
 * A page of its own for each test, with nothing stored, that fails its test when the window logs an
 * error; `errors` are those it logged so far. A new context would cost a process and compile all
 * anew, four times what a page costs that is opened by `keeper`, which stays open in the context and
 * the process of a worker.
 */
export const test = base.extend<{ errors: string[] }, { keeper: Page }>({
  keeper: [
    async ({ browser }, use, { project }) => {
      const context = await browser.newContext(project.use.contextOptions);
      const keeper = await context.newPage();
      await keeper.goto("/icon.svg");
      await use(keeper);
      await context.close();
    },
    { scope: "worker" },
  ],
  errors: async ({}, use) => {
    const errors: string[] = [];
    await use(errors);
    expect(errors, "errors of the window").toEqual([]);
  },
  page: async ({ keeper, errors }, use) => {
    await keeper.evaluate(() => localStorage.clear());
    const [page] = await Promise.all([keeper.waitForEvent("popup"), keeper.evaluate(() => void window.open())]);
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    await use(page);
    await page.close();
  },
});

export async function open(page: Page, { scene, route = "/overview", theme = "light", width = 1280, height = 860, language = "en" }: Opening): Promise<void> {
  await page.clock.setFixedTime(NOW);
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme: theme });
  await page.addInitScript((language) => localStorage.setItem("bitdust.language", language), language);
  await page.goto(`/?scene=${scene}#${route}`);
  await expect(page.locator("h1").first()).toBeVisible();
}

/** No violations of the rules that can be checked by a program. */
export async function checkAccess(page: Page): Promise<void> {
  expect(await violations(page)).toEqual([]);
}

/** Violations of all rules of axe. */
async function violations(page: Page): Promise<{ id: string; nodes: string[] }[]> {
  // It runs in the window itself and does not go into frames.
  expect(page.frames(), "frames").toHaveLength(1);
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const found = await window.axe?.run(document, { resultTypes: ["violations"] });
    if (found === undefined) throw new Error("axe is not there");
    return found.violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary ?? ""}`) }));
  });
}

/** Writes `docs/screenshots/NAME.png` when pictures are asked for. */
export async function picture(page: Page, name: string): Promise<void> {
  if (process.env["SCREENSHOTS"] !== "1") return;
  await page.screenshot({ path: new URL(`../../docs/screenshots/${name}.png`, import.meta.url).pathname, animations: "disabled" });
}

/**
 * One test per theme and width: opens, waits for what `ready` waits for, checks access, takes a
 * picture `NAME-THEME-WIDTH`.
 */
export function everyLook(name: string, opening: Opening, ready: (page: Page) => Promise<void> = async () => undefined): void {
  for (const theme of THEMES) {
    for (const width of WIDTHS) {
      test(`${name} in ${theme} at ${width}`, async ({ page }) => {
        await open(page, { ...opening, theme, width });
        await ready(page);
        await checkAccess(page);
        await picture(page, `${name}-${theme}-${width}`);
      });
    }
  }
}
