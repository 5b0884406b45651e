/** Machines and their states as people name them; the engine's own word where there is no name. */
import { en } from "../text/en";
import { textOf } from "../text/text";
import { stateWords } from "./machines";
import type { Diagram } from "./mermaid";

type MachineName = keyof typeof en.machineNames;
type StateName = keyof typeof en.machineStates;

export function machineName({ slug, title }: Diagram): string {
  return isMachine(slug) ? textOf(`machineNames.${slug}`) : title;
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
