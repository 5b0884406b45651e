import { beforeEach, describe, expect, test } from "vitest";

import { folder, job, statusOf, suppliers } from "../backend/scenes/people";
import type { StatusView } from "../backend/bindings";
import { preferences } from "../state/preferences.svelte";
import { folderVerdict, isProtected, verdict } from "./safety";

beforeEach(() => {
  preferences.language = "en";
});

const now = Date.now();

describe("the verdict", () => {
  const rows: [string, Partial<StatusView>, string, RegExp][] = [
    ["nothing there", { folders: [] }, "plain", /^Nothing is stored yet/],
    ["a damaged list", { protection: { kind: "unknown" } }, "bad", /is damaged or gone$/],
    ["a damaged list that names no folders", { protection: { kind: "unknown" }, folders: [] }, "bad", /is damaged or gone$/],
    ["all well", {}, "good", /^All 3 folders are stored safely with 6 people/],
    ["no phrase", { phrase_confirmed: false }, "warn", /not checked yet/],
    ["practice", { scope: "loopback" }, "plain", /^Practice/],
    ["never backed up", { protection: { kind: "nothing" } }, "warn", /not stored yet/],
    ["first backup", { protection: { kind: "nothing" }, jobs: [job({ phase: { kind: "sending" } })] }, "busy", /^The first backup/],
    ["waiting", { protection: { kind: "nothing" }, jobs: [job({ phase: { kind: "waiting_for_suppliers", have: 1, need: 4 } })] }, "warn", /^Not backed up yet: you need people/],
    ["one folder without a backup", { protection: { kind: "partly", missing: 1 }, folders: [folder("/home/a/Music", { protection: { kind: "nothing" }, last_backup: null }), folder("/a")] }, "warn", /^Music is not backed up yet/],
    ["the same, on its way", { protection: { kind: "partly", missing: 1 }, folders: [folder("/home/a/Music", { protection: { kind: "nothing" }, last_backup: null }), folder("/a")], jobs: [job({ task: { kind: "backup", folders: ["/home/a/Music"], is_scheduled: true } })] }, "busy", /^Music is not backed up yet/],
    ["another one on its way", { protection: { kind: "partly", missing: 1 }, folders: [folder("/home/a/Music", { protection: { kind: "nothing" }, last_backup: null }), folder("/a")], jobs: [job()] }, "warn", /^Music is not backed up yet/],
    ["some missing", { protection: { kind: "stored", confirmed: 4, needed: 6 } }, "warn", /^Stored with 4 of 6 people/],
    ["too many missing", { protection: { kind: "stored", confirmed: 1, needed: 6 } }, "bad", /^Your data could be lost/],
    ["sending the rest", { protection: { kind: "stored", confirmed: 1, needed: 6 }, jobs: [job()] }, "busy", /^Stored with 1 of 6/],
    ["unreadable files", { folders: [folder("/a", { problems: 14 })] }, "warn", /except for 14 things/],
    ["a folder that fails", { folders: [folder("/home/a/Letters", { state: { kind: "failed", retry_at: now, error: "disk_full" } })] }, "warn", /^Letters cannot be backed up/],
    ["a failed test", { last_verify: { at: now, result: { files: 20, bytes: 1, equal: 18, changed_here: 0, failed: 2 } } }, "bad", /^2 files did not come back whole/],
  ];
  test.each(rows)("%s", (_, change, tone, title) => {
    const says = verdict(statusOf(change), now);
    expect(says.tone).toBe(tone);
    expect(says.title).toMatch(title);
    expect(`${says.title} ${says.body}`).not.toMatch(/\bprotected\b/i);
  });
});

test("who needs people is told what is so, and nothing of people who cannot be asked", () => {
  const waits = (change: Partial<StatusView>) => verdict(statusOf({ protection: { kind: "nothing" }, jobs: [job({ phase: { kind: "waiting_for_suppliers", have: 0, need: 1 } })], ...change }), now);
  expect(waits({}).body).toBe("0 of 1 have agreed. Invite someone or find people.");
  expect(waits({ peers: 0, suppliers: [] })).toMatchObject({ asks: "people", body: "You are not connected to anyone yet. Invite a friend, accept an invitation, or use a second computer of yours." });
  expect(waits({ peers: 0 })).toMatchObject({ asks: "nothing", body: "You are not connected to anyone now. Check the internet connection of this computer." });
});

test("what would be asked for helps in the trouble that is told", () => {
  const lost: Partial<StatusView> = { protection: { kind: "stored", confirmed: 1, needed: 6 } };
  expect(verdict(statusOf(lost), now)).toMatchObject({ asks: "missing", body: "Only 1 of 2 people needed can prove they have your data. What is on this computer is now the only sure copy." });
  expect(verdict(statusOf({ ...lost, is_clock_wrong: true }), now).asks).toBe("nothing");
  expect(verdict(statusOf({ last_verify: { at: now, result: { files: 20, bytes: 1, equal: 18, changed_here: 0, failed: 2 } } }), now).asks).toBe("suppliers");
});

describe("pieces that people lack", () => {
  const body = (lacking: number) => {
    const people = suppliers().map((supplier, index) => ({ ...supplier, is_owed: index < lacking }));
    return verdict(statusOf({ protection: { kind: "stored", confirmed: 4, needed: 6 }, suppliers: people }), now).body;
  };
  test("are counted, and a few people are named", () => {
    expect(body(0)).toBe("Can be restored. Some confirmations are missing.");
    expect(body(2)).toMatch(/lack pieces: \w+ and \w+\. We send them/);
    expect(body(5)).toMatch(/^Can be restored. 5 people still lack pieces/);
  });
});

describe("the word protected", () => {
  const measured = statusOf({ survival: 0.9999 });
  test("needs a measured figure that is high", () => {
    expect(isProtected(measured)).toBe(true);
    expect(verdict(measured, now).title).toBe("All 3 folders are protected");
    expect(isProtected(statusOf())).toBe(false);
    expect(isProtected({ ...measured, survival: 0.98 })).toBe(false);
  });
  test("needs the words and people elsewhere", () => {
    expect(isProtected({ ...measured, phrase_confirmed: false })).toBe(false);
    expect(isProtected({ ...measured, scope: "loopback" })).toBe(false);
    expect(isProtected({ ...measured, protection: { kind: "stored", confirmed: 5, needed: 6 } })).toBe(false);
  });
  test("is used for a folder likewise", () => {
    expect(folderVerdict(folder("/a"), measured).label).toBe("Protected");
    expect(folderVerdict(folder("/a"), statusOf()).label).toBe("Stored safely");
    expect(folderVerdict(folder("/a"), statusOf({ scope: "loopback" })).tone).toBe("plain");
  });
});

test("the oldest backup counts", () => {
  const folders = [folder("/a", { last_backup: now - 12 * 60_000 }), folder("/b", { last_backup: now - 97 * 86_400_000 })];
  expect(verdict(statusOf({ folders }), now).body).toBe("Oldest of the latest versions: 3 months ago.");
  expect(verdict(statusOf({ folders: folders.slice(0, 1) }), now).body).toBe("Last backup 12 minutes ago.");
});

test("people without a place or without proof do not count", () => {
  const others = suppliers().map((one, index) => (index === 0 ? { ...one, position: null } : index === 1 ? { ...one, confirmed: false } : one));
  expect(verdict(statusOf({ suppliers: others }), now).title).toContain("with 4 people");
});
