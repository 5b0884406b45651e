/** Machines and their states as people name them; the engine's own word where there is no name. */
import { locale } from "../state/preferences.svelte";
import { en } from "../text/en";
import { textOf } from "../text/text";
import { stateWords, type Machine } from "./machines";
import type { Diagram } from "./mermaid";

type MachineName = keyof typeof en.machineNames;
type StateName = keyof typeof en.machineStates;

export function machineName({ slug, title }: Diagram): string {
  return isMachine(slug) ? textOf(`machineNames.${slug}`) : title;
}

/** Those that run first, then by the name that people see. */
export function byName(machines: readonly Machine[]): Machine[] {
  const runs = ({ instances }: Machine): number => (instances.length > 0 ? 0 : 1);
  return [...machines].sort((a, b) => runs(a) - runs(b) || machineName(a.diagram).localeCompare(machineName(b.diagram), locale()));
}

export function machineAbout({ slug, about }: Diagram): string {
  return isMachine(slug) ? textOf(`machineAbouts.${slug}`) : about;
}

export function stateName(state: string): string {
  return isState(state) ? textOf(`machineStates.${state}`) : stateWords(state);
}

function isMachine(slug: string): slug is MachineName {
  return Object.hasOwn(en.machineNames, slug);
}

function isState(state: string): state is StateName {
  return Object.hasOwn(en.machineStates, state);
}
