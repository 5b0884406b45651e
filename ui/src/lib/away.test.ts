import { beforeEach, describe, expect, test } from "vitest";

import type { StatusView } from "../backend/bindings";
import { job, statusOf, suppliers } from "../backend/scenes/people";
import { preferences } from "../state/preferences.svelte";
import { awayOf, awayWords } from "./away";
import { setPicture } from "./people";

beforeEach(() => {
  preferences.language = "en";
});

const people = (of: (index: number) => object) => suppliers().map((one, index) => ({ ...one, ...of(index) }));
const unproven = (count: number) => people((index) => (index < count ? { confirmed: false, online: false } : {}));
const offline = (count: number) => people((index) => (index < count ? { online: false } : {}));

describe("who cannot be counted on", () => {
  const rows: [string, Partial<StatusView>, string | null, number][] = [
    ["nobody", {}, null, 0],
    ["some who proved nothing lately", { suppliers: unproven(2), protection: { kind: "stored", confirmed: 4, needed: 6 } }, "spare", 2],
    ["so many that it could be lost", { suppliers: unproven(5), protection: { kind: "stored", confirmed: 1, needed: 6 } }, "lost", 5],
    ["a few who are only offline", { suppliers: offline(3) }, null, 0],
    ["the last who may be offline", { suppliers: offline(4) }, "spare", 4],
    ["too many who are only offline", { suppliers: offline(5) }, "unreachable", 5],
    ["those whom the first pieces go to", { suppliers: unproven(6), protection: { kind: "nothing" } }, null, 0],
    ["those whom pieces are sent to now", { suppliers: unproven(5), protection: { kind: "stored", confirmed: 1, needed: 6 }, jobs: [job()] }, null, 0],
  ];
  test.each(rows)("%s", (_, change, kind, count) => {
    const view = statusOf(change);
    const away = awayOf(view, setPicture(view));
    expect(away?.kind ?? null).toBe(kind);
    expect(away?.suppliers.length ?? 0).toBe(count);
  });
});

test("each is named with when it was seen", () => {
  const now = Date.now();
  const [bob] = suppliers();
  if (bob === undefined) throw new Error("bob is there");
  expect(awayWords({ ...bob, online: false, last_seen: now - 3 * 86_400_000 }, now)).toBe("bob, seen 3 days ago");
  expect(awayWords({ ...bob, online: false, last_seen: null }, now)).toBe("bob, never seen");
  expect(awayWords(bob, now)).toBe("bob, online, but without proof");
});
