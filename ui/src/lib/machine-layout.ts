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
const SMALL_LETTER = 6.6;
const BOX_HEIGHT = 36;
const WORD_HEIGHT = 15;
const PADDING = 30;
const MARGIN = 12;

export function layOut(diagram: Diagram, words: (state: string) => string): Drawing {
  const graph = new dagre.graphlib.Graph({ multigraph: false });
  graph.setGraph({ rankdir: "TB", nodesep: 34, ranksep: 34, edgesep: 18, marginx: MARGIN, marginy: MARGIN });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const state of diagram.states) graph.setNode(state, { width: words(state).length * LETTER + PADDING, height: BOX_HEIGHT });
  const joined = join(diagram.transitions);
  for (const { from, to, events } of joined) {
    const width = Math.max(...events.map((event) => event.length)) * SMALL_LETTER + 8;
    graph.setEdge(from, to, { width, height: events.length * WORD_HEIGHT, labelpos: "c" });
  }
  dagre.layout(graph);

  const boxes = diagram.states.map((name): Box => {
    const { x = 0, y = 0, width = 0, height = 0 } = graph.node(name);
    return { name, isInitial: diagram.initial.includes(name), x, y, width, height };
  });
  const lines = joined.map(({ from, to, events }): Line => {
    const { points = [], x = 0, y = 0 } = graph.edge(from, to);
    return { from, to, words: events, path: curve(points), x, y };
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
