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

type Theme = "light" | "dark";

export interface Opening {
  scene: string;
  /** What follows `#`: `/folders`. */
  route?: string;
  theme?: Theme;
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
      await context.clock.setFixedTime(NOW);
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

/** Opens the window anew, even where it was open already. */
export async function open(page: Page, { scene, route = "/overview", theme = "light", width = 1280, height = 860, language = "en" }: Opening): Promise<void> {
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme: theme });
  await page.addInitScript((language) => localStorage.setItem("bitdust.language", language), language);
  // With nothing new before the `#` the window would stay as it is.
  const answer = await page.goto(`/?scene=${scene}&width=${width}#${route}`);
  expect(answer, "the window is opened anew").not.toBeNull();
  await expect(page.locator("h1").first()).toBeVisible();
}

/** Turns the desktop's theme while the window is open. */
async function turn(page: Page, theme: Theme): Promise<void> {
  await page.emulateMedia({ colorScheme: theme });
  await expect(page.locator("html")).toHaveAttribute("data-theme", theme);
  // What moves is neither what it was nor what it will be. The end of one may begin another, and
  // what is to stay as it ended is never gone.
  await page.evaluate(async () => {
    const running = (): Animation[] => document.getAnimations().filter(({ playState }) => playState === "running");
    for (let going = running(); going.length > 0; going = running()) await Promise.allSettled(going.map(({ finished }) => finished));
  });
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

/** What holds a view or a dialog and is narrower than what is in it. */
function tooWide(page: Page): Promise<string[]> {
  return page.locator("html, main, dialog .body").evaluateAll((frames) => frames.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).map(({ tagName, scrollWidth, clientWidth }) => `${tagName}: ${scrollWidth} in ${clientWidth}`));
}

/** Writes `docs/screenshots/NAME.png` when pictures are asked for. */
export async function picture(page: Page, name: string): Promise<void> {
  if (process.env["SCREENSHOTS"] !== "1") return;
  await page.screenshot({ path: new URL(`../../docs/screenshots/${name}.png`, import.meta.url).pathname, animations: "disabled" });
}

/** Each width is opened anew, and each theme is opened once and turned to once. */
const LOOKS = [
  { width: 1280, themes: ["light", "dark"] },
  { width: 800, themes: ["dark", "light"] },
] as const;

/**
 * One test of a view in every theme and width: opens it at each width, waits for what `ready` waits
 * for, then shows it in both themes, checks access and takes a picture `NAME-THEME-WIDTH` of each.
 */
export function everyLook(name: string, opening: Opening, ready: (page: Page) => Promise<void> = async () => undefined): void {
  test(`${name} in every look`, async ({ page, errors }) => {
    for (const { width, themes } of LOOKS) {
      await test.step(`opening in ${themes[0]} at ${width}`, async () => {
        await open(page, { ...opening, theme: themes[0], width });
        await ready(page);
      });
      for (const theme of themes) {
        const look = `in ${theme} at ${width}`;
        await test.step(look, async () => {
          await turn(page, theme);
          // Softly, for one look must not hide the others.
          expect.soft(await violations(page), `access ${look}`).toEqual([]);
          expect.soft(await tooWide(page), `what is scrolled sideways ${look}`).toEqual([]);
          expect.soft(errors.splice(0), `errors of the window ${look}`).toEqual([]);
          await picture(page, `${name}-${theme}-${width}`);
        });
      }
    }
  });
}
