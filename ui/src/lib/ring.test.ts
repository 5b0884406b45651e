import { describe, expect, it } from "vitest";

import { ring } from "./ring";

describe("ring", () => {
  it.each([1, 2, 3, 6, 10, 14, 15, 20, 29, 30])("places %i people apart from each other and inside the picture", (count) => {
    const { places, width, height, center, scale } = ring(count);
    expect(places).toHaveLength(count);
    const size = 44 * scale;
    places.forEach((place, index) => {
      expect(place.x - size / 2).toBeGreaterThanOrEqual(0);
      expect(place.x + size / 2).toBeLessThanOrEqual(width);
      expect(place.y - size / 2).toBeGreaterThanOrEqual(0);
      expect(place.y + size / 2).toBeLessThanOrEqual(height);
      expect(Math.hypot(place.x - center.x, place.y - center.y)).toBeGreaterThan(60);
      for (const other of places.slice(index + 1)) expect(Math.hypot(place.x - other.x, place.y - other.y)).toBeGreaterThan(size);
    });
  });

  it("puts two opposite each other", () => {
    const [left, right] = ring(2).places;
    expect(left?.y).toBeCloseTo(right?.y ?? 0, -1);
    expect(left?.x).toBeLessThan(right?.x ?? 0);
  });
});
