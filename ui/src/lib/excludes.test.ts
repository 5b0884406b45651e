import { describe, expect, it } from "vitest";

import { patternsOf, presetsOf, PRESETS } from "./excludes";

describe("patterns of presets", () => {
  it("come back as presets and own lines", () => {
    const patterns = patternsOf(["temporary", "hidden"], " *.bak \n\n*.tmp\n");
    expect(patterns).toContain("*.bak");
    expect(patterns.filter((line) => line === "*.tmp")).toHaveLength(1);
    expect(presetsOf(patterns)).toEqual({ presets: ["temporary", "hidden"], own: "*.bak" });
  });

  it("are own lines when a preset is not whole", () => {
    const [first] = PRESETS.disks;
    expect(presetsOf([first])).toEqual({ presets: [], own: first });
  });
});
