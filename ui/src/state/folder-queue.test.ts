import { expect, test } from "vitest";

import { folderQueue } from "./folder-queue.svelte";

test("folders wait in line, each once, and none is passed over", () => {
  folderQueue.add(["/home/a/", "/home/b", "/home/a"]);
  folderQueue.add(["/home/c", "/home/b/"]);
  expect([folderQueue.first, folderQueue.after]).toEqual(["/home/a", 2]);
  folderQueue.leave("/home/a");
  folderQueue.leave("/home/a");
  expect([folderQueue.first, folderQueue.after]).toEqual(["/home/b", 1]);
  folderQueue.leave("/home/b");
  folderQueue.leave("/home/c");
  expect([folderQueue.first, folderQueue.after]).toEqual([null, 0]);
});

test("a root keeps its stroke", () => {
  folderQueue.add(["/", "C:\\"]);
  expect(folderQueue.first).toBe("/");
  folderQueue.leave("/");
  expect(folderQueue.first).toBe("C:\\");
  folderQueue.leave("C:\\");
});
