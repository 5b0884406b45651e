import { expect, test } from "vitest";

import type { ErrorCode, UnprotectedView } from "../backend/bindings";
import { reasonsOf } from "./unprotected";

const thing = (path: string, code: ErrorCode): UnprotectedView => ({ path, code, detail: "" });

test("things are gathered by reason, each named once, the most frequent reason first", () => {
  const reasons = reasonsOf([thing("/a", "changed"), thing("/b", "unreadable"), thing("/c", "unreadable"), thing("/c", "unreadable")]);
  expect(reasons.map(({ code, things }) => [code, things.length])).toEqual([
    ["unreadable", 2],
    ["changed", 1],
  ]);
});

test("each reason that a look through a folder gives has a sentence and a help", () => {
  const codes: ErrorCode[] = ["unreadable", "changed", "not_found", "bad_path", "busy", "disk_failed", "disk_full", "malformed", "internal"];
  for (const { code, why, help } of reasonsOf(codes.map((code) => thing("/a", code)))) {
    expect(why, code).not.toMatch(/^(errors|folders)\./);
    expect(help, code).toMatch(/\.$/);
  }
});
