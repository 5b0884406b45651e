import { describe, expect, it } from "vitest";

import { below, parentOf, pathOfBytes, shownPath } from "./paths";

describe("paths", () => {
  it("are shown as people wrote them", () => {
    expect(shownPath("50%25 off/Größe")).toBe("50% off/Größe");
    expect(shownPath("caf%C3%A9")).toBe("café");
    expect(shownPath("odd%FFname")).toBe("odd\uFFFDname");
    expect(shownPath("100% sure")).toBe("100% sure");
  });

  it("go down and up", () => {
    expect(below("", "a")).toBe("a");
    expect(below("a/b", "c")).toBe("a/b/c");
    expect(parentOf("a/b/c")).toBe("a/b");
    expect(parentOf("a")).toBe("");
  });

  it("are read from bytes", () => {
    expect(pathOfBytes([0x2f, 0xc3, 0xa9])).toBe("/é");
  });
});
