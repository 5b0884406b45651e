import { beforeEach, describe, expect, it } from "vitest";

import { useBackend, type Backend, type Calls } from "../backend/backend";
import type { HistoryLine, HostEvent } from "../backend/bindings";
import { NO_FILTER } from "../lib/activity";
import { history } from "./history.svelte";

const line = (number: number, message = "something"): HistoryLine => ({ number, at: number, severity: "note", happening: { kind: "other" }, message });

type Asked = Calls["history"][0];
let asked: Asked[];
let stored: HistoryLine[];
let tell: (event: HostEvent) => void;
let gate: Promise<void>;

beforeEach(() => {
  asked = [];
  stored = Array.from({ length: 5 }, (_, index) => line(5 - index));
  gate = Promise.resolve();
  const call = async (_: string, request: Asked) => {
    asked.push(request);
    await gate;
    const fitting = stored.filter(({ number, message }) => (request.before === null || number < request.before) && (request.text === null || message.includes(request.text)));
    return { lines: fitting.slice(0, 2), more: fitting.length > 2, count: stored.length };
  };
  useBackend({ call, subscribe: (listener: typeof tell) => ((tell = listener), () => undefined) } as unknown as Backend);
});

const numbers = () => history.lines.map(({ number }) => number);
const notice = (fresh: HistoryLine) => tell({ from: "node", event: { event: "notice", line: fresh } });

describe("history", () => {
  it("goes back page by page until nothing follows", async () => {
    await history.ask(NO_FILTER);
    expect(numbers()).toEqual([5, 4]);
    await history.askMore();
    await history.askMore();
    await history.askMore();
    expect(numbers()).toEqual([5, 4, 3, 2, 1]);
    expect(asked.map(({ before }) => before)).toEqual([null, 4, 2]);
  });

  it("asks for a page once, however often it is wanted", async () => {
    await history.ask(NO_FILTER);
    await Promise.all([history.askMore(), history.askMore()]);
    expect(numbers()).toEqual([5, 4, 3, 2]);
  });

  it("does not take the answer to an older question", async () => {
    let open = (): void => undefined;
    gate = new Promise((resolve) => (open = resolve));
    const slow = history.ask(NO_FILTER);
    gate = Promise.resolve();
    await history.ask({ severity: "all", text: "nothing like it" });
    open();
    await slow;
    expect(numbers()).toEqual([]);
  });

  it("takes new lines as they come", async () => {
    await history.ask(NO_FILTER);
    history.follow();
    notice(line(6));
    expect(numbers()).toEqual([6, 5, 4]);
    expect(history.count).toBe(6);
  });

  it("leaves it to the node whether a new line fits", async () => {
    await history.ask({ severity: "all", text: "disk" });
    history.follow();
    stored = [line(7, "the disk is full"), line(6), ...stored];
    notice(line(6));
    await expect.poll(numbers).toEqual([7]);
  });
});
