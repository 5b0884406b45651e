import { describe, expect, it } from "vitest";

import { choose, chosenOf, coverOf, unchoose, type Selection } from "./selection";

const none: Selection = new Set();

describe("a selection", () => {
  it("has a folder instead of what is below it, in whatever order they are chosen", () => {
    const first = choose(choose(choose(none, "2026/a.jpg"), "2026/b/c.jpg"), "2026");
    expect([...first]).toEqual(["2026"]);
    expect([...choose(first, "2026/b/c.jpg")]).toEqual(["2026"]);
  });

  it("shows what comes with a chosen folder as chosen, and a part as a part", () => {
    const chosen = choose(none, "2026/b");
    expect(chosenOf(chosen, "2026/b/deep/c.jpg")).toBe("yes");
    expect(coverOf(chosen, "2026/b/deep/c.jpg")).toBe("2026/b");
    expect(chosenOf(chosen, "2026")).toBe("some");
    expect(chosenOf(chosen, "2026/bc")).toBe("no");
    expect(coverOf(chosen, "2026/b")).toBeNull();
  });

  it("lets go of one thing and keeps the others", () => {
    expect([...unchoose(choose(choose(none, "a"), "b"), "a")]).toEqual(["b"]);
  });
});
