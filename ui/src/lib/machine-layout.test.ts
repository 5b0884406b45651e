import { describe, expect, it } from "vitest";

import { diagrams } from "./diagrams";
import { layOut } from "./machine-layout";
import { stateWords } from "./machines";

describe.each(diagrams)("the layout of $slug", (diagram) => {
  const { width, height, boxes, lines } = layOut(diagram, stateWords);

  it("has every state inside the drawing, none over another", () => {
    expect(boxes.map(({ name }) => name)).toEqual(diagram.states);
    boxes.forEach((box, index) => {
      expect(box.x - box.width / 2).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width / 2).toBeLessThanOrEqual(width);
      expect(box.y - box.height / 2).toBeGreaterThanOrEqual(0);
      expect(box.y + box.height / 2).toBeLessThanOrEqual(height);
      for (const other of boxes.slice(index + 1)) {
        const apart = Math.abs(box.x - other.x) >= (box.width + other.width) / 2 || Math.abs(box.y - other.y) >= (box.height + other.height) / 2;
        expect(apart, `${box.name} and ${other.name}`).toBe(true);
      }
    });
  });

  it("has a line with all events for every pair of states", () => {
    for (const { from, to, event } of diagram.transitions) {
      const line = lines.find((candidate) => candidate.from === from && candidate.to === to);
      expect(line?.words).toContain(event);
      expect(line?.path).toMatch(/^M[\d. -]+ [QLC]/);
    }
  });
});
