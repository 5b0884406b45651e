/** Builders for what a node tells: a host, a status, folders, suppliers, history. All plausible, none real. */
import type { FolderView, HistoryLine, HostView, JobView, ReachView, StatusView, SupplierView } from "../bindings";
import { judged } from "./verdict";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const GB = 1e9;
export const MB = 1e6;

/** Milliseconds since 1970, so long ago. */
export function ago(milliseconds: number): number {
  return Date.now() - milliseconds;
}

/** 64 hexadecimal digits that are always the same for a seed. */
export function hex(seed: string, digits = 64): string {
  let state = 2166136261;
  for (const sign of seed) state = Math.imul(state ^ sign.charCodeAt(0), 16777619) >>> 0;
  let out = "";
  for (let i = 0; out.length < digits; i += 1) {
    state = Math.imul(state ^ (state >>> 15) ^ i, 2246822519) >>> 0;
    out += state.toString(16).padStart(8, "0");
  }
  return out.slice(0, digits);
}

/** A nickname with the first characters of its identity: `alice · 7f3a 91c2`. */
export function named(nickname: string): string {
  const digits = hex(nickname);
  return `${nickname} · ${digits.slice(0, 4)} ${digits.slice(4, 8)}`;
}

export function hostOf(change: Partial<HostView> = {}): HostView {
  return { state: { kind: "running" }, home: "/home/alice/.local/share/bitdust", has_keyring: true, practice: null, has_practice: false, version: "0.2.0", ...change };
}

export function folder(path: string, change: Partial<FolderView> = {}): FolderView {
  return {
    id: hex(path),
    path,
    excludes: [],
    crosses_mounts: true,
    verdict: { says: { kind: "safe" }, level: "good" },
    protection: change.last_backup === null ? { kind: "nothing" } : { kind: "safe" },
    last_backup: ago(12 * MINUTE),
    files: 8_214,
    bytes: 41.6 * GB,
    problems: 0,
    schedule: { kind: "on_change" },
    state: { kind: "quiet" },
    next_backup: null,
    watch_problem: null,
    unprotected: [],
    ...change,
  };
}

export function supplier(nickname: string, position: number | null, change: Partial<SupplierView> = {}): SupplierView {
  return {
    device: hex(`${nickname} device`),
    identity: hex(nickname),
    name: named(nickname),
    friend: true,
    state: "Contracted",
    online: true,
    path: "quic",
    confirmed: true,
    position,
    contract_bytes: 60 * GB,
    kept_bytes: 20.4 * GB,
    last_seen: ago(MINUTE),
    last_proof: ago(3 * HOUR),
    is_suspect: false, is_owed: false,
    ...change,
  };
}

export const NICKNAMES = ["bob", "clara", "dmitri", "eva", "farid", "grete"] as const;

export function suppliers(): SupplierView[] {
  return NICKNAMES.map((nickname, position) =>
    supplier(nickname, position, { friend: position < 4, path: position % 2 === 0 ? "quic" : "tcp", last_proof: ago((position + 1) * 2 * HOUR), last_seen: ago((position + 1) * MINUTE) }),
  );
}

export function job(change: Partial<JobView> = {}): JobView {
  return {
    id: 1,
    task: { kind: "backup", folders: ["/home/alice/Pictures"], is_scheduled: true },
    phase: { kind: "sending" },
    progress: { files_done: 0, files_total: 0, bytes_done: 0, bytes_total: 0, bytes_moved: 0 },
    started_at: ago(4 * MINUTE),
    bytes_per_second: null,
    remaining_seconds: null,
    current: null,
    ...change,
  };
}

export function line(number: number, at: number, change: Partial<HistoryLine>): HistoryLine {
  return { number, at, severity: "note", happening: { kind: "other" }, message: "Something happened.", ...change };
}

/** The newest lines of a quiet week. */
export function quietHistory(): HistoryLine[] {
  return [
    line(9, ago(12 * MINUTE), { happening: { kind: "backup_ended", outcome: "complete", files: 41, new_bytes: 86 * MB, problems: 0, error: null }, message: "Backed up 3 folders: 41 files looked at, 86 MB new." }),
    line(8, ago(2 * HOUR), { happening: { kind: "verify_ended", outcome: "complete", files: 20, failed: 0, error: null }, message: "Test restore: 20 files came back whole." }),
    line(7, ago(5 * HOUR), { happening: { kind: "backup_ended", outcome: "complete", files: 12, new_bytes: 3 * MB, problems: 0, error: null }, message: "Backed up 1 folder: 12 files looked at, 3 MB new." }),
    line(6, ago(DAY), { happening: { kind: "supplier_signed", name: named("grete"), bytes: 60 * GB }, message: `${named("grete")} keeps data for you from now on.` }),
    line(5, ago(2 * DAY), { happening: { kind: "folder_added", path: "/home/alice/Pictures" }, message: "Folder /home/alice/Pictures added." }),
  ];
}

/**
 * What could be restored now from the people of a scene, as the node tells it: only who is online and
 * has proved its piece lately counts. Of those who lack something each may lack something else, so
 * together they may do, with nobody to spare.
 */
export function reachOf({ head, code, suppliers }: Pick<StatusView, "head" | "code" | "suppliers">): ReachView | null {
  if (head === null || code === null) return null;
  const online = suppliers.filter((supplier) => supplier.position !== null && supplier.online && !supplier.is_suspect);
  const proven = online.filter((supplier) => supplier.confirmed && supplier.kept_bytes > 0);
  const whole = proven.filter((supplier) => !supplier.is_owed).length;
  const counted = Math.max(whole, Math.min(proven.length, code[0]));
  return { online: online.length, spare: counted < code[0] ? null : counted - code[0] };
}

/** What holds of everything holds of each folder that has a version. */
function kept(folders: FolderView[], protection: StatusView["protection"]): FolderView[] {
  if (protection.kind === "safe" || protection.kind === "partly") return folders;
  return folders.map((folder) => (folder.protection.kind === "nothing" ? folder : { ...folder, protection }));
}

export function statusOf(change: Partial<StatusView> = {}): StatusView {
  const status: Omit<StatusView, "verdict" | "enough"> = {
    sentence: "All 3 folders are stored safely.",
    protection: { kind: "safe" },
    nickname: "alice",
    identity: hex("alice"),
    device: hex("alice device"),
    network: "main",
    scope: "internet",
    keys: "keyring",
    phrase_confirmed: true,
    code: [2, 6],
    folders: [folder("/home/alice/Pictures"), folder("/home/alice/Documents", { files: 3_120, bytes: 6.2 * GB, last_backup: ago(31 * MINUTE) }), folder("/home/alice/Letters", { files: 412, bytes: 88 * MB, last_backup: ago(2 * HOUR), schedule: { kind: "every", minutes: 360 }, next_backup: ago(-4 * HOUR) })],
    suppliers: suppliers(),
    head: { sequence: 48, written_at: ago(12 * MINUTE), confirmed: 6, of: 6 },
    reach: null,
    offered_bytes: 100 * GB,
    used_by_others_bytes: 37.5 * GB,
    packed_bytes: 40.8 * GB,
    coded_bytes: 122.4 * GB,
    kept_bytes: 123.1 * GB,
    metadata_bytes: 62 * MB,
    metadata_kept_bytes: 372 * MB,
    metadata_bytes_per_file: 118,
    spooled_bytes: 0,
    listening: ["/ip4/192.168.1.20/tcp/4242", "/ip4/192.168.1.20/udp/4242/quic-v1"],
    peers: 14,
    machines: [["backup", "Idle"], ["set-up", "Ready"], ["supplier-search", "Idle"], ["holder-set", "Formed"], ["head", "Published"], ["check", "Idle"]],
    jobs: [],
    notices: quietHistory(),
    disk_free_bytes: 214 * GB,
    survival: null,
    last_verify: { at: ago(2 * HOUR), result: { files: 20, bytes: 61 * MB, equal: 20, changed_here: 0, failed: 0 } },
    is_clock_wrong: false,
    is_restore_only: false,
    is_replaced: false,
    is_behind: false,
    is_catching_up: false,
    ...change,
  };
  const enough = status.protection.kind === "unknown" ? null : (status.code?.[0] ?? null);
  return judged({ enough, ...status, folders: kept(status.folders, status.protection), reach: change.reach ?? reachOf(status) });
}
