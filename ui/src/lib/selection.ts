/**
 * Paths that are chosen below a version. A folder stands for all that is below it, so nothing is
 * ever chosen twice.
 */
import { parentOf } from "./paths";

export type Selection = ReadonlySet<string>;
export type Chosen = "no" | "some" | "yes";

/** The chosen folder that a path comes with, where there is one above it. */
export function coverOf(selection: Selection, path: string): string | null {
  for (let above = parentOf(path); above !== ""; above = parentOf(above)) {
    if (selection.has(above)) return above;
  }
  return null;
}

/** `some` is a folder of which only a part is chosen. */
export function chosenOf(selection: Selection, path: string): Chosen {
  if (selection.has(path) || coverOf(selection, path) !== null) return "yes";
  return [...selection].some((chosen) => isBelow(chosen, path)) ? "some" : "no";
}

export function choose(selection: Selection, path: string): Selection {
  if (chosenOf(selection, path) === "yes") return selection;
  return new Set([...selection].filter((chosen) => !isBelow(chosen, path)).concat(path));
}

export function unchoose(selection: Selection, path: string): Selection {
  return new Set([...selection].filter((chosen) => chosen !== path));
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}
