import { expect, test } from "vitest";

import { folder } from "../backend/scenes/people";
import { overlapOf } from "./overlap";

const folders = [folder("/home/a/Mail"), folder("/home/a/Work/2024"), folder("/home/a/Work/2025"), folder("C:\\Users\\A\\Docs")];

function check(path: string, kind: string, others: string[] = []): void {
  const found = overlapOf(path, folders);
  const named = found.kind === "around" ? found.folders : found.kind === "apart" ? [] : [found.folder];
  expect([found.kind, named.map((it) => it.path)], path).toEqual([kind, others]);
}

test("a folder is known, inside, around or apart by whole names", () => {
  check("/home/a/Mail", "same", ["/home/a/Mail"]);
  check("/home/a/Mail/", "same", ["/home/a/Mail"]);
  check("/home/a/Mail/in", "inside", ["/home/a/Mail"]);
  check("/home/a/Mail2", "apart");
  check("/home/a/mail", "apart");
  check("/home/a/Work", "around", ["/home/a/Work/2024", "/home/a/Work/2025"]);
  check("/home/b", "apart");
  check("c:\\users\\a\\docs", "same", ["C:\\Users\\A\\Docs"]);
  check("C:\\Users\\A", "around", ["C:\\Users\\A\\Docs"]);
});
