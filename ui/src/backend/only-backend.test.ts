import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

const SOURCE = join(import.meta.dirname, "..");

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)]));
}

test("only the backend knows Tauri", () => {
  const others = files(SOURCE).filter((file) => !file.includes("/backend/") && /\.(ts|svelte)$/.test(file));
  expect(others.filter((file) => readFileSync(file, "utf8").includes("@tauri-apps"))).toEqual([]);
});

test("colours, sizes and layers are tokens", () => {
  const styled = files(SOURCE).filter((file) => /\.(svelte|css)$/.test(file) && !file.endsWith("tokens.css"));
  const raw = /#[0-9a-f]{3,8}\b(?=[^{}]*;)|\b(?!1px)(?:[2-9]|\d{2,})px|z-index: *\d/i;
  const styles = (file: string): string => (file.endsWith(".css") ? readFileSync(file, "utf8") : (/<style>([\s\S]*)<\/style>/.exec(readFileSync(file, "utf8"))?.[1] ?? ""));
  expect(styled.filter((file) => raw.test(styles(file)))).toEqual([]);
});

test("a component fits 150 lines beside its style", () => {
  const script = (file: string): number => readFileSync(file, "utf8").replace(/<style>[\s\S]*<\/style>/, "").split("\n").length;
  expect(files(SOURCE).filter((file) => file.endsWith(".svelte") && script(file) > 150)).toEqual([]);
});
