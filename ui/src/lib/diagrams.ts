/** The engine's own diagrams, taken in when the application is built. */
import { parseDiagram, type Diagram } from "./mermaid";

const documents = import.meta.glob<string>("../../../docs/fsm/*.md", { query: "?raw", import: "default", eager: true });

export const diagrams: Diagram[] = Object.entries(documents)
  .map(([path, document]) => parseDiagram(path.replace(/^.*\/|\.md$/g, ""), document))
  .sort((a, b) => a.title.localeCompare(b.title, "en"));
