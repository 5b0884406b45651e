import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const isMock = process.env["VITE_MOCK"] === "1";

/** What the desktop shell sets too; the tests run under it. */
const policy = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "style-src 'self' 'unsafe-inline'",
  "object-src 'none'",
  "base-uri 'none'",
].join("; ");

/** A build that is shipped and holds the mock is a mistake. */
function withoutMock(): Plugin {
  return {
    name: "without-mock",
    generateBundle(_, bundle) {
      if (isMock) return;
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        const found = chunk.moduleIds.find((id) => /\/backend\/(mock|scenes\/)/.test(id));
        if (found !== undefined) this.error(`${chunk.fileName} holds ${found}`);
      }
    },
  };
}

export default defineConfig(({ command }) => ({
  plugins: [svelte(), withoutMock()],
  // A constant, so that a production bundle has no trace of the mock.
  define: { __MOCK__: JSON.stringify(isMock || command === "serve") },
  build: {
    // WebKitGTK 2.40 and macOS 13.3.
    target: "safari16.4",
    outDir: process.env["OUT_DIR"] ?? "dist",
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  // The drawings of the machines are read from docs.
  server: { port: 5173, strictPort: true, fs: { allow: [".."] } },
  preview: { headers: { "Content-Security-Policy": policy } },
  resolve: process.env["VITEST"] ? { conditions: ["browser"] } : {},
  test: {
    include: ["src/**/*.test.ts"],
    // A window takes longer to make than most tests take: where one is needed, the file says so.
    environment: "node",
    setupFiles: ["vitest.setup.ts"],
    // Else one core is left idle, of two the half.
    maxWorkers: "100%",
    // A deadline of a machine that is busy with something else.
    testTimeout: 60_000,
    restoreMocks: true,
  },
}));
