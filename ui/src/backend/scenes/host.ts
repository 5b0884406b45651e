/** Scenes of the time before a node runs: first run, recovery, a locked home, failed starts. */
import type { ErrorCode } from "../bindings";
import { ago, DAY, hex, hostOf, statusOf } from "./people";
import { severalFolders } from "./restore";
import type { Scene, Scenes, World } from "./scene";

/** A test phrase that everybody knows; it opens nothing. */
const SPECIMEN =
  "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic bless".split(" ");

function empty(): NonNullable<Scene["status"]> {
  return statusOf({ protection: { kind: "nothing" }, phrase_confirmed: false, folders: [], suppliers: [], head: null, code: null, notices: [], last_verify: null, packed_bytes: 0, coded_bytes: 0, kept_bytes: 0, metadata_bytes: 0, metadata_kept_bytes: 0, metadata_bytes_per_file: null, used_by_others_bytes: 0, peers: 3 });
}

function start(world: World): void {
  world.setStatus(empty());
  world.setHost({ state: { kind: "running" } });
}

function firstRun(hasKeyring: boolean): Scene {
  return {
    host: hostOf({ state: { kind: "absent" }, has_keyring: hasKeyring }),
    status: null,
    answers: severalFolders(),
    hostAnswers: {
      create: ({ nickname }, world) => {
        if (nickname.includes("/")) throw world.fail("bad_request", "a nickname has letters, digits, dots and dashes");
        start(world);
        world.setStatus({ nickname });
        return { words: SPECIMEN, identity: hex("alice"), fingerprint: "7f3a 91c2" };
      },
      confirm_words: ({ words }, world) => {
        const isRight = words.every(([place, word]) => SPECIMEN[place - 1] === word);
        if (isRight) world.setStatus({ phrase_confirmed: true });
        return isRight;
      },
      practice_start: (_, world) => {
        world.setStatus({ ...empty(), scope: "loopback", network: "practice" });
        world.setHost({ state: { kind: "running" }, practice: { suppliers: [] }, has_practice: true });
        return world.host;
      },
      recover: ({ phrase, way_in, recover_as }, world) => {
        const at = phrase.split(" ").indexOf("abov");
        if (at >= 0) throw world.fail("bad_request", `word ${at + 1}, "abov", is not in the list of words (did you mean "above"?); compare it with your printed kit`);
        if (way_in === "nobody") throw world.fail("unreachable", "nobody answers at this address");
        world.setStatus(statusOf());
        world.setHost({ state: { kind: "running" } });
        return { identity: hex("alice"), nickname: "alice", is_restore_only: recover_as === "reader", newest: ago(2 * DAY), number: 48, confirmed: 6, of: 6, newer: null, unread: null, index_missing: 0, older_missing: 0, is_sure: true, snapshots: 48, files: 11_746, folders: recover_as === "successor" ? 3 : 0 };
      },
    },
  };
}

function failed(code: ErrorCode, message: string): Scene {
  return { host: hostOf({ state: { kind: "failed", error: { code, message } } }), status: null };
}

export const hostScenes: Scenes = {
  "first-run": () => firstRun(true),
  "first-run-no-keyring": () => firstRun(false),
  "first-run-again": () => ({ ...firstRun(true), host: hostOf({ state: { kind: "absent" }, has_practice: true }), hostAnswers: { ...firstRun(true).hostAnswers, practice_forget: (_, world) => (world.setHost({ has_practice: false }), world.host) } }),
  locked: () => ({
    host: hostOf({ state: { kind: "locked" } }),
    status: null,
    hostAnswers: {
      unlock: ({ passphrase }, world) => {
        world.setHost({ state: { kind: "starting" } });
        if (passphrase !== "open sesame") {
          setTimeout(() => world.setHost({ state: { kind: "locked" } }), 50);
          throw world.fail("not_allowed", "the passphrase is wrong");
        }
        world.setStatus(statusOf({ keys: "passphrase" }));
        world.setHost({ state: { kind: "running" } });
        return world.host;
      },
    },
  }),
  starting: () => ({ host: hostOf({ state: { kind: "starting" } }), status: null }),
  recovering: () => ({ host: hostOf({ state: { kind: "recovering", phase: { kind: "asking_heads" } } }), status: null }),
  "failed-newer": () => failed("incompatible", "the catalogue has version 9, this program knows up to 7; nothing was changed"),
  "failed-disk": () => failed("disk_full", "writing /home/alice/.local/share/bitdust/catalogue.db: no space left on device"),
  "failed-held": () => failed("home_held", "process 4711 holds /home/alice/.local/share/bitdust and does not answer"),
  "failed-keyring": () => failed("not_allowed", "the keyring of the system is locked"),
  "failed-other": () => failed("internal", "the engine stopped: channel closed"),
};
