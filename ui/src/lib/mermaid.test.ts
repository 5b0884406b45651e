import { describe, expect, it } from "vitest";

import { diagrams } from "./diagrams";
import { DiagramError, parseDiagram } from "./mermaid";

const LINK = `# Link

One peer.

\`\`\`mermaid
stateDiagram-v2
    [*] --> New
    New --> Dialing: Start / Dial
    Dialing --> Dialing: Wake
    Dialing --> Failed: Lost / Tell, End
\`\`\`
`;

describe("parseDiagram", () => {
  it("reads title, sentence, states and transitions", () => {
    expect(parseDiagram("link", LINK)).toEqual({
      slug: "link",
      title: "Link",
      about: "One peer.",
      states: ["New", "Dialing", "Failed"],
      initial: ["New"],
      transitions: [
        { from: "New", to: "Dialing", event: "Start", actions: ["Dial"] },
        { from: "Dialing", to: "Dialing", event: "Wake", actions: [] },
        { from: "Dialing", to: "Failed", event: "Lost", actions: ["Tell", "End"] },
      ],
    });
  });

  it("refuses what it does not understand", () => {
    expect(() => parseDiagram("link", "# Link\n")).toThrow(DiagramError);
    expect(() => parseDiagram("link", LINK.replace("New --> Dialing", "state New {"))).toThrow("state New {");
    expect(() => parseDiagram("link", LINK.replace("stateDiagram-v2", "graph TD"))).toThrow("no state diagram");
  });
});

describe("the committed diagrams", () => {
  it("are all read, in full", () => {
    expect(diagrams.length).toBeGreaterThanOrEqual(15);
    for (const diagram of diagrams) {
      expect(diagram.about, diagram.slug).toMatch(/\.$/);
      expect(diagram.initial.length, diagram.slug).toBeGreaterThan(0);
      expect(diagram.transitions.length, diagram.slug).toBeGreaterThan(0);
      for (const { event } of diagram.transitions) expect(event, diagram.slug).toMatch(/^\w+$/);
    }
  });

  it("have the supplier link as the engine draws it", () => {
    const link = diagrams.find(({ slug }) => slug === "supplier-link");
    expect(link?.states).toContain("Contracted");
    expect(link?.transitions.filter(({ from }) => from === "Contracted").map(({ to }) => to)).toEqual(["Offline", "Refused", "Full"]);
  });
});
