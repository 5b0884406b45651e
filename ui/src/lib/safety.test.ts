import { beforeEach, describe, expect, test } from "vitest";

import { folder, job, statusOf, suppliers } from "../backend/scenes/people";
import { judged } from "../backend/scenes/verdict";
import type { FindingView, FolderSaid, Level, Said, StatusView } from "../backend/bindings";
import { preferences } from "../state/preferences.svelte";
import { folderVerdict, verdict } from "./safety";

beforeEach(() => {
  preferences.language = "en";
});

const now = Date.now();
const music = folder("/home/a/Music", { last_backup: null });
const pictures = folder("/home/alice/Pictures");

describe("the verdict", () => {
  const rows: [string, Partial<StatusView>, string, RegExp][] = [
    ["nothing there", { folders: [] }, "plain", /^Nothing is stored yet/],
    ["a computer that only restores", { is_restore_only: true, folders: [] }, "plain", /only restores$/],
    ["one whose place was taken", { is_replaced: true }, "bad", /took the place of this one$/],
    ["a damaged list", { protection: { kind: "unknown" } }, "bad", /is damaged or gone$/],
    ["a damaged list that names no folders", { protection: { kind: "unknown" }, folders: [] }, "bad", /is damaged or gone$/],
    ["all well", {}, "good", /^All 3 folders are stored safely with 6 people/],
    ["no phrase", { phrase_confirmed: false }, "warn", /not checked yet/],
    ["practice", { scope: "loopback" }, "plain", /^Practice/],
    ["never backed up", { protection: { kind: "nothing" } }, "warn", /not stored yet/],
    ["first backup", { protection: { kind: "nothing" }, folders: [pictures], jobs: [job({ phase: { kind: "sending" } })] }, "busy", /^The first backup/],
    ["waiting", { protection: { kind: "nothing" }, jobs: [job({ phase: { kind: "waiting_for_suppliers", have: 1, need: 4 } })] }, "warn", /^Not backed up yet: you need people/],
    ["one folder without a backup", { protection: { kind: "partly", missing: 1 }, folders: [music, pictures] }, "warn", /^Music is not backed up yet/],
    ["the same, on its way", { protection: { kind: "partly", missing: 1 }, folders: [music, pictures], jobs: [job({ task: { kind: "backup", folders: ["/home/a/Music"], is_scheduled: true } })] }, "busy", /^Music is not backed up yet/],
    ["another one on its way", { protection: { kind: "partly", missing: 1 }, folders: [music, pictures], jobs: [job()] }, "warn", /^Music is not backed up yet/],
    ["some missing", { protection: { kind: "stored", confirmed: 4, needed: 6 } }, "warn", /^Stored with 4 of 6 people/],
    ["sending the rest", { protection: { kind: "stored", confirmed: 4, needed: 6 }, jobs: [job()] }, "busy", /^Stored with 4 of 6/],
    ["too many missing", { protection: { kind: "stored", confirmed: 1, needed: 6 } }, "bad", /^Your data could be lost/],
    ["too many missing while something is sent", { protection: { kind: "stored", confirmed: 1, needed: 6 }, jobs: [job()] }, "bad", /^Your data could be lost/],
    ["unreadable files", { folders: [folder("/a", { problems: 14 })] }, "warn", /except for 14 things/],
    ["a folder that fails", { folders: [folder("/home/a/Letters", { state: { kind: "failed", retry_at: now, error: "disk_full" } })] }, "warn", /^Letters cannot be backed up/],
    ["a folder that is away", { folders: [folder("/media/a/Card", { state: { kind: "away" } })] }, "warn", /^Card is not there now/],
    ["a folder that waits", { folders: [folder("/home/a/Letters", { protection: { kind: "nothing" }, state: { kind: "awaits_restore" } })] }, "warn", /^Letters waits to be restored/],
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

/** A status of which the engine says this, whatever else it tells. */
function said(says: Said, level: Level, change: Partial<FindingView> = {}, also: FindingView[] = []): StatusView {
  const view = statusOf();
  const first = { says, level, asks: "nothing" as const, folders: [], ...change };
  return { ...view, verdict: { ...view.verdict, first, also } };
}

describe("words", () => {
  test("follow the verdict alone", () => {
    for (const [level, tone] of [["good", "good"], ["plain", "plain"], ["working", "busy"], ["attention", "warn"], ["bad", "bad"]] as const) {
      expect(verdict(said({ kind: "words_unchecked" }, level, { asks: "words" }), now)).toMatchObject({ asks: "words", tone, title: "Your 24 words are not checked yet" });
    }
    expect(verdict(said({ kind: "would_lose", confirmed: 0, enough: 2 }, "bad"), now).body).toMatch(/^Nobody can prove .*2 /);
    expect(verdict(said({ kind: "protected" }, "good"), now).title).toBe("All 3 folders are protected");
  });

  test("name the folders concerned, and what is wrong besides", () => {
    const [one, other] = statusOf().folders;
    const away: FindingView = { says: { kind: "folder_away" }, level: "attention", asks: "nothing", folders: [other?.id ?? ""] };
    const unchecked: FindingView = { says: { kind: "words_unchecked" }, level: "attention", asks: "words", folders: [] };
    const says = verdict(said({ kind: "folder_failed" }, "attention", { folders: [one?.id ?? ""] }, [away, unchecked]), now);
    expect(says.title).toBe("Pictures cannot be backed up now");
    expect(says.body).toMatch(/Documents is not there now\.$/);
  });

  test("say where not all of it can be had right now", () => {
    const view = statusOf({ reach: { online: 1, spare: null } });
    expect(verdict(view, now)).toMatchObject({ tone: "good", body: expect.stringMatching(/Too few people are online/) });
    expect(verdict(statusOf(), now).body).not.toMatch(/online/);
  });
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

test("each verdict of a folder has its words and its tone", () => {
  const rows: [FolderSaid, string][] = [
    [{ kind: "unknown" }, "Not known"],
    [{ kind: "replaced" }, "Not backed up here any more"],
    [{ kind: "behind" }, "Newer versions elsewhere"],
    [{ kind: "catching_up" }, "Being brought up to date"],
    [{ kind: "never_backed_up" }, "Not backed up yet"],
    [{ kind: "first_backup" }, "Being backed up"],
    [{ kind: "would_lose", confirmed: 1, enough: 2 }, "Could be lost"],
    [{ kind: "failed" }, "The last backup failed"],
    [{ kind: "away" }, "Not there now"],
    [{ kind: "awaits_restore" }, "Waits to be restored"],
    [{ kind: "stored", confirmed: 4, needed: 6 }, "Stored with 4 of 6"],
    [{ kind: "problems", things: 1 }, "Backed up, except for 1 thing"],
    [{ kind: "practice" }, "Stored for practice"],
    [{ kind: "safe" }, "Up to date"],
    [{ kind: "protected" }, "Protected"],
  ];
  for (const [says, label] of rows) expect(folderVerdict(folder("/a", { verdict: { says, level: "attention" } }))).toEqual({ label, tone: "warn" });
});

test("the oldest backup counts", () => {
  const folders = [folder("/a", { last_backup: now - 12 * 60_000 }), folder("/b", { last_backup: now - 97 * 86_400_000 })];
  expect(verdict(statusOf({ folders }), now).body).toBe("Oldest of the latest versions: 3 months ago.");
  expect(verdict(statusOf({ folders: folders.slice(0, 1) }), now).body).toBe("Last backup 12 minutes ago.");
});

test("people without a place or without proof do not count", () => {
  const others = suppliers().map((one, index) => (index === 0 ? { ...one, position: null } : index === 1 ? { ...one, confirmed: false } : one));
  expect(verdict(judged({ ...statusOf(), suppliers: others }), now).title).toContain("with 4 people");
});
