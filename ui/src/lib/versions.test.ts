import { describe, expect, it } from "vitest";

import type { SnapshotView } from "../backend/bindings";
import { foldersOf, timeLine } from "./versions";

function version(id: string, path: string, taken_at: number): SnapshotView {
  return { id, path, taken_at, device: "", files: 1, bytes: 1, problems: 0 };
}

const may = Date.UTC(2026, 4, 10, 12);
const june = Date.UTC(2026, 5, 10, 12);

describe("the time line", () => {
  it("is of one folder, newest first, and opens each month once", () => {
    const all = [version("a", "/x", may), version("b", "/y", may), version("c", "/x", june), version("d", "/x", june + 1000)];
    expect(foldersOf(all)).toEqual(["/x", "/y"]);
    expect(timeLine(all, "/x").map((row) => [row.version.id, row.opens])).toEqual([
      ["d", true],
      ["c", false],
      ["a", true],
    ]);
    expect(timeLine(all, "/none")).toEqual([]);
  });
});
