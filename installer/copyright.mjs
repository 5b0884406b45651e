/**
 * Prints the copyright file of a package: our licences, and the texts of all that is built
 * in, each once with the names of those that it belongs to.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const registries = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry/src");
const TEXT_FILES = /^(licen[cs]e|copying|copyright|notice|unlicense)/i;

const crates = listed("ui/src/generated/licences-rust.json").map((it) => ({ ...it, folder: crateFolder(it) }));
const modules = listed("ui/src/generated/licences.json").map((it) => ({ ...it, folder: join(root, "ui/node_modules", it.name) }));
const parts = [...crates, ...modules];

const paragraphs = [
  "BitDust is licensed under the MIT licence or the Apache licence, version 2.0, at your choice.",
  readFileSync(join(root, "LICENSE-MIT"), "utf8").trim(),
  readFileSync(join(root, "LICENSE-APACHE"), "utf8").trim(),
  "Built into it, each under a licence of its own:",
  parts.map(({ name, version, licence }) => `  ${name} ${version}: ${licence}`).join("\n"),
  ...[...textsOf(parts)].map(([text, names]) => `${"-".repeat(72)}\n${names.join(", ")}\n\n${text}`),
];
process.stdout.write(`${paragraphs.join("\n\n")}\n`);

function listed(path) {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}

function crateFolder({ name, version }) {
  const folders = readdirSync(registries).map((registry) => join(registries, registry, `${name}-${version}`));
  return folders.find((folder) => existsSync(folder)) ?? fail(`${name} ${version} is not among the sources of cargo`);
}

/** Licence texts, each with the packages that bring it. */
function textsOf(packages) {
  const texts = new Map();
  for (const { name, version, folder } of packages) {
    for (const file of readdirSync(folder, { withFileTypes: true })) {
      if (!file.isFile() || !TEXT_FILES.test(file.name)) continue;
      const text = readFileSync(join(folder, file.name), "utf8").replaceAll("\r\n", "\n").trim();
      texts.set(text, [...new Set([...(texts.get(text) ?? []), `${name} ${version}`])]);
    }
  }
  return texts;
}

function fail(sentence) {
  process.stderr.write(`copyright: ${sentence}\n`);
  process.exit(1);
}
