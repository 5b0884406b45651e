/** Which diagram a running machine belongs to, and which of its states is lit. */
import type { Diagram } from "./mermaid";

/** A running machine: `supplier link 3f9a01bc` in the state `Contracted`. */
export interface Instance {
  /** What it is about: a device, a job; empty where there is only one. */
  subject: string;
  /** As the diagram spells it; as the node said where the diagram has no such state. */
  state: string;
  isDrawn: boolean;
}

export interface Machine {
  diagram: Diagram;
  instances: Instance[];
}

/** The node's names for machines whose file is called otherwise. */
const ALIASES: Record<string, string> = { set: "holder-set" };
const SUBJECT_LETTERS = 8;

/** All diagrams with the machines that run; those that run come first, then by title. */
export function machinesOf(diagrams: Diagram[], running: [string, string][]): Machine[] {
  const prefixes = prefixesOf(diagrams);
  const found = new Map<string, Instance[]>();
  for (const [name, state] of running) {
    const match = matching(prefixes, name);
    if (match === null) continue;
    const { diagram, subject } = match;
    found.set(diagram.slug, [...(found.get(diagram.slug) ?? []), instance(diagram, subject, state)]);
  }
  return diagrams
    .map((diagram) => ({ diagram, instances: found.get(diagram.slug) ?? [] }))
    .sort((a, b) => Number(b.instances.length > 0) - Number(a.instances.length > 0) || a.diagram.title.localeCompare(b.diagram.title, "en"));
}

/** How many of the instances are in each state, by the diagram's spelling. */
export function lit(instances: Instance[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { state } of instances) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}

/** `WaitingForSuppliers`, `waiting_for_suppliers` and `waiting for suppliers` are one state. */
export function stateKey(state: string): string {
  return state.replace(/[^a-z0-9]/gi, "").toLowerCase();
}

/** A state's name as words: `Waiting for suppliers`. */
export function stateWords(state: string): string {
  const words = state.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/[_-]/g, " ").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The longest name that fits: `set-up` is not the machine `set`. */
function matching(prefixes: [string, Diagram][], name: string): { diagram: Diagram; subject: string } | null {
  const key = spaced(name);
  for (const [prefix, diagram] of prefixes) {
    if (key === prefix) return { diagram, subject: "" };
    if (key.startsWith(`${prefix} `)) return { diagram, subject: short(name.slice(prefix.length + 1)) };
  }
  return null;
}

function prefixesOf(diagrams: Diagram[]): [string, Diagram][] {
  const named = diagrams.flatMap((diagram) => [diagram.slug, ...aliasesOf(diagram.slug)].map((name): [string, Diagram] => [spaced(name), diagram]));
  return named.sort(([a], [b]) => b.length - a.length);
}

function aliasesOf(slug: string): string[] {
  return Object.keys(ALIASES).filter((alias) => ALIASES[alias] === slug);
}

function instance(diagram: Diagram, subject: string, state: string): Instance {
  const drawn = diagram.states.find((known) => stateKey(known) === stateKey(state));
  return { subject, state: drawn ?? state, isDrawn: drawn !== undefined };
}

function spaced(name: string): string {
  return name.replace(/[-_]/g, " ").toLowerCase();
}

function short(subject: string): string {
  return /^[0-9a-f]{16,}$/i.test(subject) ? subject.slice(0, SUBJECT_LETTERS) : subject;
}
