import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { useBackend } from "../backend/backend";
import type { EstimateView } from "../backend/bindings";
import { mockBackend } from "../backend/mock";
import { hostOf, statusOf } from "../backend/scenes/people";
import { estimatorOf, type Rules } from "./estimate.svelte";

let answers: ((view: EstimateView) => void)[] = [];
let asked: string[][] = [];

beforeEach(() => {
  vi.useFakeTimers();
  answers = [];
  asked = [];
  useBackend(
    mockBackend({
      host: hostOf(),
      status: statusOf(),
      answers: {
        folder_estimate: ({ excludes }) => {
          asked.push(excludes);
          return new Promise((resolve) => answers.push(resolve));
        },
      },
    }),
  );
});
afterEach(() => vi.useRealTimers());

function without(...excludes: string[]): Rules {
  return { excludes, crosses_mounts: true };
}

function view(files: number): EstimateView {
  return { files, bytes: 0, excluded: [], excluded_count: 0, unreadable: [], unreadable_count: 0, is_cut: false };
}

test("an old answer that comes late is not shown", async () => {
  const estimator = estimatorOf("/a");
  const first = estimator.look(without());
  const second = estimator.look(without("*.tmp"));
  answers[1]?.(view(2));
  await second;
  answers[0]?.(view(9));
  await first;
  expect(estimator.now).toEqual({ kind: "known", view: view(2) });
});

test("typing asks once, when it rests", () => {
  const estimator = estimatorOf("/a");
  estimator.lookSoon(without("*"));
  estimator.lookSoon(without("*.b"));
  vi.advanceTimersByTime(10_000);
  expect(asked).toEqual([["*.b"]]);
});

test("nothing is asked after the end", () => {
  const estimator = estimatorOf("/a");
  estimator.lookSoon(without("*"));
  estimator.end();
  vi.advanceTimersByTime(10_000);
  expect(asked).toEqual([]);
});
