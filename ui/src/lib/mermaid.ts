/**
 * Reads the diagrams of `docs/fsm`: as much of Mermaid's `stateDiagram-v2` as the engine draws.
 * A line that is not understood is an error, so that a diagram is never shown in part.
 */
export interface Diagram {
  /** The file's name without its ending, for example `supplier-link`. */
  slug: string;
  title: string;
  about: string;
  /** In the order in which they are named first. */
  states: string[];
  initial: string[];
  transitions: Transition[];
}

export interface Transition {
  from: string;
  to: string;
  event: string;
  /** What the machine wants done, in order. */
  actions: string[];
}

export class DiagramError extends Error {}

const FENCE = /```mermaid\n([\s\S]*?)```/;
const ARROW = /^(\[\*\]|\w+) --> (\w+)(?:: (.+))?$/;

export function parseDiagram(slug: string, document: string): Diagram {
  const source = FENCE.exec(document)?.[1];
  const title = /^# (.+)$/m.exec(document)?.[1];
  if (source === undefined || title === undefined) throw new DiagramError(`${slug} has no title or no diagram`);
  const about = document.split("\n").find((line) => line !== "" && !line.startsWith("#")) ?? "";
  const [head, ...lines] = source.split("\n").map((line) => line.trim());
  if (head !== "stateDiagram-v2") throw new DiagramError(`${slug} is no state diagram`);

  const diagram: Diagram = { slug, title, about, states: [], initial: [], transitions: [] };
  for (const line of lines) {
    if (line !== "") readArrow(diagram, line);
  }
  return diagram;
}

function readArrow(diagram: Diagram, line: string): void {
  const [, from, to, label] = ARROW.exec(line) ?? [];
  if (from === undefined || to === undefined) throw new DiagramError(`${diagram.slug}: ${line}`);
  name(diagram, to);
  if (from === "[*]") {
    diagram.initial.push(to);
    return;
  }
  name(diagram, from);
  const [event = "", actions = ""] = (label ?? "").split(" / ");
  diagram.transitions.push({ from, to, event, actions: actions === "" ? [] : actions.split(", ") });
}

function name(diagram: Diagram, state: string): void {
  if (!diagram.states.includes(state)) diagram.states.push(state);
}
