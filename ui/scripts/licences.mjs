/**
 * Writes what the About page lists: `node scripts/licences.mjs [npm|rust] [workspace]`; with
 * `--check` first it writes nothing and fails where the lists do not fit what is built.
 *
 * npm: the packages of which a module is in the production bundle. rust: the normal
 * dependencies of the application for Linux, as cargo knows them.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const TARGET = "x86_64-unknown-linux-gnu";
/** Inside of a package that is bundled, so that no module of theirs is seen. */
const WITHIN = { "@dagrejs/dagre": ["@dagrejs/graphlib"] };
const APPLICATIONS = ["bitdust-desktop", "bitdust-cli"];

const isCheck = process.argv[2] === "--check";
const [part, workspace = join(root, "..")] = process.argv.slice(isCheck ? 3 : 2);
const finish = isCheck ? check : write;
if (part !== "rust") finish("licences.json", await bundled());
if (part !== "npm") finish("licences-rust.json", compiled(workspace));

async function bundled() {
  delete process.env.VITE_MOCK;
  const outputs = await build({ root, logLevel: "error", build: { write: false } });
  const chunks = [outputs].flat().flatMap(({ output }) => output).filter(({ type }) => type === "chunk");
  const modules = chunks.flatMap((chunk) => Object.entries(chunk.modules).filter(([, module]) => module.renderedLength > 0));
  const folders = modules.flatMap(([id]) => /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1] ?? []);
  const entries = [...new Set(folders)].map(described);
  const within = entries.flatMap(({ name }) => WITHIN[name] ?? []);
  return [...entries, ...within.map((name) => described(join(root, "node_modules", name)))];
}

function described(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return { name, version, licence: license };
}

function compiled(folder) {
  const output = execFileSync("cargo", ["metadata", "--locked", "--format-version", "1", "--filter-platform", TARGET], { cwd: folder, maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "inherit"] });
  const { packages, resolve, workspace_members } = JSON.parse(output.toString());
  const byId = new Map(packages.map((entry) => [entry.id, entry]));
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  const open = APPLICATIONS.flatMap((name) => packages.filter((entry) => entry.name === name).map(({ id }) => id));
  const seen = new Set(open);
  for (const id of open) {
    for (const { pkg, dep_kinds } of nodes.get(id).deps) {
      if (seen.has(pkg) || !dep_kinds.some(({ kind }) => kind === null)) continue;
      seen.add(pkg);
      open.push(pkg);
    }
  }
  return [...seen]
    .filter((id) => !workspace_members.includes(id))
    .map((id) => byId.get(id))
    .map(({ name, version, license, license_file }) => ({ name, version, licence: license ?? license_file }));
}

function write(file, entries) {
  writeFileSync(placeOf(file), listed(file, entries));
  console.log(`${file}: ${entries.length} packages`);
}

function check(file, entries) {
  const built = listed(file, entries).split("\n");
  const known = readFileSync(placeOf(file), "utf8").split("\n");
  const wrong = [...known.filter((line) => !built.includes(line)).map((line) => `- ${line}`), ...built.filter((line) => !known.includes(line)).map((line) => `+ ${line}`)];
  if (wrong.length === 0) return console.log(`${file}: fits`);
  console.error(`${file} does not fit what is built; write it anew with: node scripts/licences.mjs\n${wrong.join("\n")}`);
  process.exitCode = 1;
}

function listed(file, entries) {
  const nameless = entries.filter(({ licence }) => typeof licence !== "string");
  if (entries.length === 0 || nameless.length > 0) throw new Error(`${file}: no licence of ${JSON.stringify(nameless)}`);
  const order = (a, b) => a.name.localeCompare(b.name, "en") || a.version.localeCompare(b.version, "en");
  const lines = entries.sort(order).map((entry) => `  ${JSON.stringify(entry)}`);
  return `[\n${lines.join(",\n")}\n]\n`;
}

function placeOf(file) {
  return join(root, "src/generated", file);
}
