/** Scenes of the overview; other views play them too. */
import type { FolderView, HistoryLine, StatusView, SupplierView } from "../bindings";
import { ago, DAY, folder, GB, hex, hostOf, HOUR, job, line, MB, MINUTE, named, NICKNAMES, quietHistory, reachOf, statusOf, supplier, suppliers } from "./people";
import { judged } from "./verdict";
import type { Scene, Scenes } from "./scene";

const running = (status: StatusView): Scene => ({ host: hostOf(), status });

function unproven(count: number): SupplierView[] {
  return suppliers().map((one, index) => (index < NICKNAMES.length - count ? one : { ...one, online: false, path: null, confirmed: false, last_seen: ago((9 - index) * DAY), last_proof: ago(12 * DAY) }));
}

function backingUp(): StatusView {
  return statusOf({
    protection: { kind: "nothing" },
    folders: [folder("/home/alice/Pictures", { protection: { kind: "nothing" }, last_backup: null, files: 0, bytes: 0, state: { kind: "backing_up" } })],
    suppliers: suppliers().map((one) => ({ ...one, confirmed: false, kept_bytes: 7.5 * GB, last_proof: null })),
    head: null,
    last_verify: null,
    notices: quietHistory().slice(3),
    jobs: [
      job({
        task: { kind: "backup", folders: ["/home/alice/Pictures"], is_scheduled: false },
        phase: { kind: "reading" },
        progress: { files_done: 3_291, files_total: 8_214, bytes_done: 16.6 * GB, bytes_total: 41.6 * GB, bytes_moved: 45.1 * GB },
        started_at: ago(71 * MINUTE),
        bytes_per_second: 4.1 * MB,
        remaining_seconds: 6_100,
        current: "/home/alice/Pictures/2024/Summer in Brittany/DSC_4711.NEF",
      }),
    ],
  });
}

function waiting(): StatusView {
  return statusOf({
    protection: { kind: "nothing" },
    folders: [folder("/home/alice/Pictures", { protection: { kind: "nothing" }, last_backup: null, files: 0, bytes: 0 })],
    suppliers: suppliers().slice(0, 2).map((one) => ({ ...one, position: null, kept_bytes: 0, confirmed: false, last_proof: null })),
    code: null,
    head: null,
    last_verify: null,
    notices: quietHistory().slice(4),
    jobs: [job({ phase: { kind: "waiting_for_suppliers", have: 2, need: 4 }, task: { kind: "backup", folders: ["/home/alice/Pictures"], is_scheduled: false } })],
  });
}

/** The first folder of somebody who knows nobody. */
function alone(): StatusView {
  const status = waiting();
  return judged({ ...status, peers: 0, suppliers: [], notices: [], jobs: status.jobs.map((one) => ({ ...one, phase: { kind: "waiting_for_suppliers", have: 0, need: 1 } })) });
}

/** A backup that can go no further for now; the longest of such sentences. */
function standingStill(): StatusView {
  const status = backingUp();
  return judged({ ...status, jobs: status.jobs.map((one) => ({ ...one, phase: { kind: "waiting_for_spool" }, bytes_per_second: 0, remaining_seconds: null, current: null })) });
}

/** Everything is read, and two have yet to confirm it. */
function confirming(): StatusView {
  const status = backingUp();
  const progress = { files_done: 8_214, files_total: 8_214, bytes_done: 41.6 * GB, bytes_total: 41.6 * GB, bytes_moved: 98.2 * GB };
  const away = [named("dmitri"), named("grete")];
  return judged({ ...status, spooled_bytes: 26.6 * GB, jobs: status.jobs.map((one) => ({ ...one, phase: { kind: "waiting_for_confirmations", confirmed: 3, need: 5, away }, progress, bytes_per_second: 0, remaining_seconds: null, current: null })) });
}

const TROUBLE: FolderView["unprotected"] = [
  { path: "/home/alice/Documents/Mail/archive.pst", code: "unreadable", detail: "another program holds it" },
  { path: "/home/alice/Documents/Keys/server.pem", code: "unreadable", detail: "permission denied" },
  { path: "/home/alice/Documents/Virtual machines/windows.qcow2", code: "changed", detail: "it changed three times while it was read" },
];

function problems(): StatusView {
  return statusOf({
    folders: [
      folder("/home/alice/Pictures", { watch_problem: "the system allows no more watches" }),
      folder("/home/alice/Documents", { files: 3_120, bytes: 6.2 * GB, problems: 14, unprotected: TROUBLE }),
      folder("/media/alice/Card/DCIM", { files: 902, bytes: 11 * GB, last_backup: ago(3 * DAY), state: { kind: "away" } }),
      folder("/home/alice/Letters", { files: 412, bytes: 88 * MB, last_backup: ago(2 * HOUR), state: { kind: "failed", retry_at: ago(-18 * MINUTE), error: "disk_full" } }),
    ],
    notices: [
      line(12, ago(8 * MINUTE), { severity: "problem", happening: { kind: "backup_ended", outcome: "failed", files: 0, new_bytes: 0, problems: 0, error: "disk_full" }, message: "Backup failed: the disk is full." }),
      line(11, ago(20 * MINUTE), { severity: "warning", happening: { kind: "backup_ended", outcome: "partial", files: 3_120, new_bytes: 2 * MB, problems: 14, error: null }, message: "Backup done, but 14 files could not be protected." }),
      ...quietHistory(),
    ],
  });
}

/** Its clock was set ahead by 400 days. */
function clockWrong(): StatusView {
  const all = suppliers().map((one) => ({ ...one, confirmed: false }));
  return statusOf({ is_clock_wrong: true, suppliers: all, protection: { kind: "stored", confirmed: 0, needed: 6 } });
}

/** Recovered: one folder was restored and is backed up again, another is still to be. */
function awaitingRestore(): StatusView {
  const waits = { protection: { kind: "nothing" }, state: { kind: "awaits_restore" }, next_backup: null } as const;
  return statusOf({ folders: [folder("/home/alice/Pictures"), folder("/home/alice/Documents", { ...waits, files: 3_120, bytes: 6.2 * GB, last_backup: ago(4 * DAY) })] });
}

/** Made by a recovery that only restores. */
function restoreOnly(): StatusView {
  const all = suppliers().map((one) => ({ ...one, state: "Reading", position: null, contract_bytes: 0, kept_bytes: 0, confirmed: false, last_proof: null }));
  return statusOf({ is_restore_only: true, folders: [], suppliers: all, code: null, head: null, protection: { kind: "nothing" }, offered_bytes: 0, used_by_others_bytes: 0, packed_bytes: 0, coded_bytes: 0, kept_bytes: 0, metadata_bytes: 0, metadata_kept_bytes: 0, metadata_bytes_per_file: null, last_verify: null, notices: [] });
}

/** It came back after it was called gone. */
function replaced(): StatusView {
  return statusOf({ is_replaced: true });
}

/** Another computer writes with the same keys. */
function behind(): StatusView {
  return statusOf({ is_behind: true, head: null });
}

/** An older copy of its list was laid back. */
function catchingUp(): StatusView {
  return statusOf({ is_catching_up: true, head: null });
}

/** Bytes of its list went bad. */
function catalogueDamaged(): StatusView {
  const unknown = { protection: { kind: "unknown" } } as const;
  const all = suppliers().map((one) => ({ ...one, confirmed: false }));
  return statusOf({ ...unknown, suppliers: all, head: null, reach: null, last_verify: null, folders: [folder("/home/alice/Pictures", unknown), folder("/home/alice/Documents", { ...unknown, files: 3_120, bytes: 6.2 * GB })] });
}

function testFailed(): StatusView {
  return statusOf({
    last_verify: { at: ago(3 * HOUR), result: { files: 20, bytes: 61 * MB, equal: 17, changed_here: 1, failed: 2 } },
    notices: [line(10, ago(3 * HOUR), { severity: "warning", happening: { kind: "verify_ended", outcome: "partial", files: 18, failed: 2, error: null }, message: "Test restore: 2 files could not be had whole." }), ...quietHistory()],
  });
}

/** A practice network whose suppliers can be switched. */
function practice(): Scene {
  const names = ["Anna", "Ben", "Carla", "David", "Emma", "Felix"];
  const status = statusOf({ scope: "loopback", network: "practice", phrase_confirmed: false, folders: [folder("/home/alice/Letters", { files: 412, bytes: 88 * MB })], suppliers: names.map((name, position) => supplier(name, position, { friend: false, kept_bytes: 44 * MB, contract_bytes: GB })) });
  return {
    host: hostOf({ has_practice: true, practice: { suppliers: names.map((name, index) => ({ number: index + 1, name, device: hex(`${name} device`), runs: true })) } }),
    status,
    hostAnswers: {
      practice_supplier: ({ number, runs }, world) => {
        world.setHost({ practice: { suppliers: (world.host.practice?.suppliers ?? []).map((one) => (one.number === number ? { ...one, runs } : one)) } });
        // As in the product: what somebody proved still counts when they go, and only who is there changes.
        const others = world.status.suppliers.map((one) => (one.position === number - 1 ? { ...one, online: runs, path: runs ? "tcp" : null, state: runs ? "Contracted" : "Offline", last_seen: ago(0) } : one));
        world.setStatus({ suppliers: others, reach: reachOf({ ...world.status, suppliers: others }), peers: others.filter(({ online }) => online).length });
        return world.host;
      },
      practice_stop: (_, world) => {
        world.setHost({ state: { kind: "absent" }, practice: null });
        return world.host;
      },
    },
  };
}

const HUGE_ROWS = 100_000;
const PAGE = 200;

function hugeLine(number: number): HistoryLine {
  const at = ago((HUGE_ROWS - number) * 4 * MINUTE);
  if (number % 211 === 0) return line(number, at, { severity: "warning", happening: { kind: "supplier_suspect", name: named(`person ${number % 97}`) }, message: "A supplier failed a proof." });
  return line(number, at, { happening: { kind: "backup_ended", outcome: "complete", files: number % 900, new_bytes: (number % 77) * MB, problems: 0, error: null }, message: `Backed up ${number % 900} files.` });
}

function huge(): Scene {
  const people = Array.from({ length: 200 }, (_, index) => supplier(`person ${index + 1}`, index < 30 ? index : null, { friend: index % 9 === 0, online: index % 7 !== 0, confirmed: index % 13 !== 5, last_seen: ago((1 + (index % 90)) * HOUR), kept_bytes: index < 30 ? (index + 1) * 3 * GB : 0 }));
  const folders = Array.from({ length: 40 }, (_, index) => folder(`/data/archive/${1985 + index}`, { files: 1_000_000 + index * 7_919, bytes: (index + 3) * 91 * GB, problems: index === 4 ? 1_204 : 0, unprotected: index === 4 ? Array.from({ length: 100 }, (__, at) => ({ path: `/data/archive/1989/scan/${at}.tif`, code: "unreadable", detail: "permission denied" })) : [] }));
  return {
    host: hostOf(),
    status: statusOf({ folders, suppliers: people, code: [10, 30], notices: Array.from({ length: 20 }, (_, index) => hugeLine(HUGE_ROWS - index)), packed_bytes: 71 * 1e12, last_verify: { at: ago(40 * MINUTE), result: { files: 20, bytes: 3 * GB, equal: 20, changed_here: 0, failed: 0 } }, protection: { kind: "stored", confirmed: 28, needed: 30 } }),
    answers: {
      history: ({ before }) => {
        const top = Math.min(before ?? HUGE_ROWS + 1, HUGE_ROWS + 1) - 1;
        const count = Math.min(PAGE, top);
        return { lines: Array.from({ length: count }, (_, index) => hugeLine(top - index)), more: top > count, count: HUGE_ROWS };
      },
    },
  };
}

export const overviewScenes: Scenes = {
  protected: () => running(statusOf()),
  empty: () => running(statusOf({ protection: { kind: "nothing" }, folders: [], suppliers: [], head: null, code: null, notices: [], last_verify: null, packed_bytes: 0, coded_bytes: 0, kept_bytes: 0, metadata_bytes: 0, metadata_kept_bytes: 0, metadata_bytes_per_file: null, used_by_others_bytes: 0 })),
  "backing-up": () => running(backingUp()),
  "waiting-for-suppliers": () => running(waiting()),
  "waiting-alone": () => ({ ...running(alone()), answers: { supplier_hire: () => undefined } }),
  "standing-still": () => running(standingStill()),
  confirming: () => running(confirming()),
  "amber-phrase": () => running(statusOf({ phrase_confirmed: false })),
  "folder-missing": () => running(statusOf({ protection: { kind: "partly", missing: 1 }, folders: [folder("/home/alice/Pictures"), folder("/home/alice/Music", { protection: { kind: "nothing" }, last_backup: null, files: 0, bytes: 0 })] })),
  "supplier-lost": () => running(statusOf({ protection: { kind: "stored", confirmed: 4, needed: 6 }, suppliers: unproven(2) })),
  "pieces-owed": () => running(statusOf({ head: { sequence: 48, written_at: ago(12 * MINUTE), confirmed: 4, of: 6 }, protection: { kind: "stored", confirmed: 4, needed: 5 }, suppliers: suppliers().map((person, index) => (index === 1 || index === 4 ? { ...person, online: false, path: null, is_owed: true } : person)) })),
  "would-lose": () => running(statusOf({ protection: { kind: "stored", confirmed: 1, needed: 6 }, suppliers: unproven(5) })),
  problems: () => running(problems()),
  "test-failed": () => running(testFailed()),
  "clock-wrong": () => running(clockWrong()),
  "awaits-restore": () => running(awaitingRestore()),
  "restore-only": () => running(restoreOnly()),
  replaced: () => running(replaced()),
  behind: () => running(behind()),
  "catching-up": () => running(catchingUp()),
  "catalogue-damaged": () => running(catalogueDamaged()),
  practice,
  huge,
};
