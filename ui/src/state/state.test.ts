// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test } from "vitest";

import { useBackend } from "../backend/backend";
import { mockBackend } from "../backend/mock";
import { hostOf, statusOf } from "../backend/scenes/people";
import { hostScenes } from "../backend/scenes/host";
import type { Scene } from "../backend/scenes/scene";
import { startConnection } from "./connection.svelte";
import { entry } from "./entry.svelte";
import { host, hostCall } from "./host.svelte";
import { jobs } from "./jobs.svelte";
import { attempt, notices } from "./notices.svelte";
import { invitation } from "./invitation.svelte";
import { opening, tellReady } from "./opening.svelte";
import { href, parse } from "./route.svelte";
import { status } from "./status.svelte";

const running = (): Scene => ({ host: hostOf(), status: statusOf() });
let end = (): void => undefined;

async function play(scene: Scene): Promise<ReturnType<typeof mockBackend>> {
  const backend = mockBackend(scene);
  useBackend(backend);
  end = startConnection();
  await Promise.resolve();
  return backend;
}

/** Lets answers that are ready arrive. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
}

beforeEach(() => {
  status.take(null);
  entry.finish();
  notices.list.forEach(({ id }) => notices.dismiss(id));
});
afterEach(() => end());

test("a running host is asked for its status", async () => {
  await play(running());
  await settle();
  expect(host.runs).toBe(true);
  expect(status.view?.nickname).toBe("alice");
});

test("a host that stops takes the status and ended jobs with it", async () => {
  const { control } = await play(running());
  await settle();
  control.world.tell({ event: "ended", job: 3, report: { outcome: "complete", progress: { files_done: 1, files_total: 1, bytes_done: 1, bytes_total: 1, bytes_moved: 1 }, snapshots: [], problems: [], problems_unlisted: 0, remarks: [], new_bytes: 0, packed_bytes: 0, error: null, message: null, verified: null, protection: null, owed: [] } });
  expect(jobs.report(3)?.outcome).toBe("complete");
  control.world.setHost({ state: { kind: "locked" } });
  expect(status.view).toBeNull();
  expect(jobs.report(3)).toBeNull();
});

test("the words hold the window while the node runs already, and go with the last step", async () => {
  await play(hostScenes["first-run"]?.() ?? running());
  entry.drafts.nickname = " alice ";
  await entry.create({ kind: "keyring" });
  await settle();
  expect(host.runs).toBe(true);
  expect(entry.step.kind).toBe("words");
  expect(entry.holdsWindow).toBe(true);
  expect(await entry.confirm([[1, "nonsense"]])).toBe(false);
  expect(await entry.confirm([[1, "letter"]])).toBe(true);
  entry.finish();
  expect(entry.holdsWindow).toBe(false);
  expect(JSON.stringify(entry.step)).not.toContain("letter");
});

test("a wrong word leads back to the words, another failure to the way in", async () => {
  await play(hostScenes["first-run"]?.() ?? running());
  entry.drafts.phrase = Array.from({ length: 24 }, (_, index) => (index === 6 ? "abov" : "letter"));
  await entry.recover({ kind: "keyring" });
  expect(entry.step.kind).toBe("recover_words");
  expect(entry.wrongWord).toEqual({ position: 7, suggestion: "above" });
  entry.drafts.phrase = Array.from({ length: 24 }, () => "letter");
  entry.drafts.wayIn = "nobody";
  await entry.recover({ kind: "keyring" });
  expect(entry.step.kind).toBe("recover_way");
  expect(entry.failure?.code).toBe("unreachable");
});

test("a failed call is noticed, a cancelled one is not", async () => {
  expect(await attempt(Promise.reject({ code: "disk_full", message: "no space" }))).toBe(false);
  expect(await attempt(Promise.reject({ code: "cancelled", message: "" }))).toBe(false);
  expect(notices.list).toHaveLength(1);
  expect(notices.list[0]).toMatchObject({ kind: "failed", code: "disk_full", detail: "no space" });
});

test("calls to the host keep where it stands", async () => {
  await play(hostScenes["locked"]?.() ?? running());
  await settle();
  await expect(hostCall("unlock", { passphrase: "x" })).rejects.toMatchObject({ code: "not_allowed" });
  await expect.poll(() => host.view?.state.kind).toBe("locked");
  await hostCall("unlock", { passphrase: "open sesame" });
  expect(host.runs).toBe(true);
});

test("routes survive any name, and unknown ones are the overview", () => {
  expect(parse(href("restore", "abc", "a/b c%"))).toEqual({ view: "restore", rest: ["abc", "a/b c%"] });
  expect(parse("#/nonsense/x")).toEqual({ view: "overview", rest: [] });
  expect(parse("#/folders/%E0%A4%A")).toEqual({ view: "folders", rest: ["%E0%A4%A"] });
});

test("the opening is over when a running host has told its status, or there is none to wait for", async () => {
  await play({ host: hostOf({ state: { kind: "starting" } }), status: statusOf() });
  await settle();
  expect(opening.isOver).toBe(false);
  const { control } = await play(running());
  expect(opening.isOver).toBe(false);
  await settle();
  expect(opening.isOver).toBe(true);
  control.world.setHost({ state: { kind: "locked" } });
  expect(opening.isOver).toBe(true);
});

test("an invitation whose link began the program is shown once", async () => {
  const { control } = await play(running());
  control.waiting = "some-code";
  await tellReady();
  expect(invitation.pending).toBe("some-code");
  expect(location.hash).toBe(href("suppliers"));
  invitation.done();
  await tellReady();
  expect(invitation.pending).toBeNull();
});
