import { defineConfig } from "@playwright/test";

const port = Number(process.env["PORT"] ?? 4173);

// Several people may run their specs at the same time: a port and a build of its own each.
const outDir = `node_modules/.mock-${port}`;

export default defineConfig({
  testDir: "tests",
  outputDir: `test-results/${port}`,
  fullyParallel: true,
  workers: 2,
  forbidOnly: Boolean(process.env["CI"]),
  reporter: "list",
  // Deadlines of a machine that is busy with something else; what is there at once is not waited for.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  use: {
    contextOptions: { baseURL: `http://127.0.0.1:${port}`, locale: "en-GB", timezoneId: "Europe/Berlin", reducedMotion: "reduce" },
    launchOptions: {
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--font-render-hinting=none"],
      env: { ...env(), FONTCONFIG_FILE: new URL("tests/fonts.conf", import.meta.url).pathname },
    },
  },
  webServer: {
    command: `npx vite build --logLevel warn && npx vite preview --host 127.0.0.1 --port ${port} --strictPort`,
    env: { VITE_MOCK: "1", OUT_DIR: outDir },
    url: `http://127.0.0.1:${port}`,
    reuseExistingServer: false,
    timeout: 120_000,
  },
});

function env(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}
