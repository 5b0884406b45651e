import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import npm from "./licences.json";
import rust from "./licences-rust.json";

const UI = join(import.meta.dirname, "../..");
/** A build of the bundle on a busy machine. */
const PATIENCE = 180_000;

interface Lock {
  packages: Record<string, { version?: string; license?: string }>;
}

test("packages of the bundle are those of package-lock.json", () => {
  const { packages } = JSON.parse(readFileSync(join(UI, "package-lock.json"), "utf8")) as Lock;
  const locked = npm.map(({ name }) => ({ name, version: packages[`node_modules/${name}`]?.version, licence: packages[`node_modules/${name}`]?.license }));
  expect(locked).toEqual(npm);
});

test("crates are those of Cargo.lock", () => {
  const lock = readFileSync(join(UI, "../Cargo.lock"), "utf8");
  const locked = new Set([...lock.matchAll(/^name = "(.+)"\nversion = "(.+)"$/gm)].map(([, name, version]) => `${name} ${version}`));
  expect(rust.map(({ name, version }) => `${name} ${version}`).filter((entry) => !locked.has(entry))).toEqual([]);
});

test(
  "nothing that ships is missing, and nothing is listed that does not ship",
  () => {
    const { VITEST: _, ...env } = process.env;
    const { status, stderr } = spawnSync(process.execPath, ["scripts/licences.mjs", "--check"], { cwd: UI, env, encoding: "utf8" });
    expect(status, stderr).toBe(0);
  },
  PATIENCE,
);
