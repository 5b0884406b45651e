/** Places a machine's states and lines: from the top down, lines with room for their words. */
import dagre from "@dagrejs/dagre";

import type { Diagram, Transition } from "./mermaid";

export interface Box {
  name: string;
  isInitial: boolean;
  /** The middle. */
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Line {
  from: string;
  to: string;
  /** One word for each event; the transitions they stand for are in the list below. */
  words: string[];
  path: string;
  /** The middle of the words. */
  x: number;
  y: number;
}

export interface Drawing {
  width: number;
  height: number;
  boxes: Box[];
  lines: Line[];
}

const LETTER = 7.4;
const SMALL_LETTER = 6.2;
const BOX_HEIGHT = 36;
const WORD_HEIGHT = 15;
const PADDING = 26;
/** Room for the dot of a state where the machine begins. */
const DOT = 12;
const MARGIN = 12;
const LOOP = 8;

/** `words` says the names of states and events as they are shown. */
export function layOut(diagram: Diagram, words: (name: string) => string): Drawing {
  const graph = new dagre.graphlib.Graph({ multigraph: false });
  graph.setGraph({ rankdir: "TB", nodesep: 16, ranksep: 26, edgesep: 6, marginx: MARGIN, marginy: MARGIN });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const state of diagram.states) graph.setNode(state, { width: words(state).length * LETTER + PADDING + (diagram.initial.includes(state) ? DOT : 0), height: BOX_HEIGHT });
  const joined = join(diagram.transitions);
  for (const { from, to, events } of joined) {
    const width = Math.max(...events.map((event) => words(event).length)) * SMALL_LETTER + 8;
    graph.setEdge(from, to, { width, height: events.length * WORD_HEIGHT, labelpos: "c" });
  }
  dagre.layout(graph);

  const boxes = diagram.states.map((name): Box => {
    const { x = 0, y = 0, width = 0, height = 0 } = graph.node(name);
    return { name, isInitial: diagram.initial.includes(name), x, y, width, height };
  });
  const lines = joined.map(({ from, to, events }): Line => {
    const { points = [], x = 0, y = 0 } = graph.edge(from, to);
    return { from, to, words: events, path: from === to ? loop(graph.node(from), x) : curve(points), x, y };
  });
  const { width = 0, height = 0 } = graph.graph();
  return { width, height, boxes, lines };
}

interface Joined {
  from: string;
  to: string;
  events: string[];
}

/** All transitions between the same two states as one line, each event once. */
function join(transitions: Transition[]): Joined[] {
  const lines = new Map<string, Joined>();
  for (const { from, to, event } of transitions) {
    const key = `${from} ${to}`;
    const line = lines.get(key) ?? { from, to, events: [] };
    if (!line.events.includes(event)) line.events.push(event);
    lines.set(key, line);
  }
  return [...lines.values()];
}

interface Point {
  x: number;
  y: number;
}

/** Out of a box on its right and back into it, as wide as its words. */
function loop({ x = 0, y = 0, width = 0 }: Partial<Box>, wordsAt: number): string {
  const side = x + width / 2;
  const turn = side + (wordsAt - side) * 2;
  return `M${at({ x: side, y: y - LOOP })} C${at({ x: turn, y: y - 3 * LOOP })} ${at({ x: turn, y: y + 3 * LOOP })} ${at({ x: side, y: y + LOOP })}`;
}

/** A calm curve: straight to the middle between two points, bent at each point. */
function curve(points: Point[]): string {
  const [first, ...rest] = points;
  const last = rest.pop();
  if (first === undefined || last === undefined) return "";
  let path = `M${at(first)}`;
  rest.forEach((point, index) => {
    const next = rest[index + 1];
    path += ` Q${at(point)} ${at(next === undefined ? last : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 })}`;
  });
  return rest.length === 0 ? `${path} L${at(last)}` : path;
}

function at({ x, y }: Point): string {
  return `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
}
