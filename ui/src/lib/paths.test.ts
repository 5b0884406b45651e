import { describe, expect, it } from "vitest";

import { below, escapedPath, inside, parentOf, pathOfBytes, shownPath } from "./paths";

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

  it("that were dropped reach the node as it writes them", () => {
    expect(escapedPath("/home/a/50%25 off")).toBe("/home/a/50%2525 off");
    expect(shownPath(escapedPath("/home/a/100%AB"))).toBe("/home/a/100%AB");
  });

  it("lose the folder they lie in, and only that one", () => {
    expect(inside("/home/a/Mail", "/home/a/Mail/in/box")).toBe("in/box");
    expect(inside("/home/a/Mail", "/home/a/Mail2/box")).toBe("/home/a/Mail2/box");
    expect(inside("/home/a/Mail", "/home/a/Mail")).toBe("/home/a/Mail");
    expect(inside("/", "/etc/hosts")).toBe("etc/hosts");
    expect(inside("C:\\Mail", "C:\\Mail\\box")).toBe("box");
  });

  it("are read from bytes", () => {
    expect(pathOfBytes([0x2f, 0xc3, 0xa9])).toBe("/é");
  });
});
