/** Scenes of folders: none, one in each state, many, and folders that cannot be added as they are. */
import type { ErrorCode, EstimateView, FolderState, FolderView } from "../bindings";
import { ago, DAY, folder, GB, hostOf, HOUR, job, MB, MINUTE, statusOf } from "./people";
import type { CallHandler, Scene, Scenes } from "./scene";

const pictures: EstimateView = {
  files: 8_214,
  bytes: 41.6 * GB,
  excluded: [],
  excluded_count: 0,
  unreadable: ["2019/locked.raw"],
  unreadable_count: 1,
  is_cut: false,
};

/** What is found by the last part of the path; most folders are like the pictures. */
const estimate: CallHandler<"folder_estimate"> = ({ path, excludes }, world) => {
  if (excludes.includes("[")) throw world.fail("bad_request", "the pattern \"[\" has a bracket that is not closed");
  if (path.endsWith(".txt")) throw world.fail("bad_request", `${path} is not a folder`);
  if (path.startsWith("/media/")) throw world.fail("unreadable", `${path} cannot be read: no such file or directory`);
  if (path.endsWith("Slow")) return new Promise(() => undefined);
  if (path.endsWith("Empty")) return { ...pictures, files: 0, bytes: 0, unreadable: [], unreadable_count: 0 };
  if (path.endsWith("Huge")) return { ...pictures, files: 4_871_203, bytes: 9_120 * GB, is_cut: true, unreadable: Array.from({ length: 200 }, (_, index) => `scan/${index}.tif`), unreadable_count: 1_204 };
  if (excludes.includes("*")) return { ...pictures, files: 0, bytes: 0, excluded: ["2019", "2024"], excluded_count: 2 };
  return excludes.length === 0 ? pictures : { ...pictures, files: 7_906, bytes: 39.2 * GB, excluded: ["project/node_modules", "project/target"], excluded_count: 2 };
};

const answers: NonNullable<Scene["answers"]> = {
  folder_estimate: estimate,
  folder_add: ({ path, excludes, crosses_mounts }, world) => {
    const added = folder(path, { excludes, crosses_mounts, last_backup: null, files: 0, bytes: 0 });
    world.setStatus({ folders: [...world.status.folders.filter((other) => other.path !== path), added] });
    return added;
  },
  folder_change: ({ folder: id, excludes, crosses_mounts, schedule }, world) => {
    const changed = world.status.folders.map((it) => (it.id === id ? { ...it, excludes, crosses_mounts, schedule } : it));
    const found = changed.find((it) => it.id === id);
    if (found === undefined) throw world.fail("not_found", `${id} is not under protection`);
    world.setStatus({ folders: changed });
    return found;
  },
  folder_remove: ({ folder: id }, world) => {
    if (!world.status.folders.some((it) => it.id === id)) throw world.fail("not_found", `${id} is not under protection`);
    world.setStatus({ folders: world.status.folders.filter((it) => it.id !== id) });
  },
  backup: () => 7,
};

const scene = (folders: FolderView[]): Scene => ({ host: hostOf(), status: statusOf({ folders }), answers });
const one = (state: FolderState, change: Partial<FolderView> = {}): Scene => scene([folder("/home/alice/Documents", { state, files: 3_120, bytes: 6.2 * GB, ...change })]);
const soon = (minutes: number): number => Date.now() + minutes * MINUTE;

const states: FolderState[] = [{ kind: "quiet" }, { kind: "changed", due_at: soon(1) }, { kind: "backing_up" }, { kind: "failed", retry_at: soon(5), error: "too_few_suppliers" }, { kind: "away" }];

const many: FolderView[] = [
  folder("/home/alice/Pictures", { next_backup: soon(48) }),
  folder("/home/alice/Documents", { state: { kind: "changed", due_at: soon(1) }, files: 1_204, bytes: 812 * MB, excludes: ["*.tmp", "*.temp", "*~", ".~lock.*", "*.swp", "*.part", "*.crdownload", "old/"] }),
  folder("/home/alice/Music", { state: { kind: "backing_up" }, files: 4_411, bytes: 22 * GB, protection: { kind: "stored", confirmed: 4, needed: 6 } }),
  folder("/home/alice/Projects", { state: { kind: "failed", retry_at: soon(5), error: "too_few_suppliers" }, schedule: { kind: "every", minutes: 90 } }),
  folder("/media/disk/Archive", { state: { kind: "away" }, last_backup: ago(3 * DAY), schedule: { kind: "manual" } }),
  folder("/home/alice/New", { last_backup: null, files: 0, bytes: 0 }),
];

function sixty(): FolderView[] {
  return Array.from({ length: 60 }, (_, index) => folder(`/data/archive/${1965 + index}`, { state: states[index % states.length] ?? { kind: "quiet" }, files: 1_000 + index * 79, bytes: (index + 3) * 910 * MB }));
}

const mail = (name: string, code: ErrorCode, detail: string): FolderView["unprotected"][number] => ({ path: `/home/alice/Mail/${name}`, code, detail });

const troubled = folder("/home/alice/Mail", {
  problems: 31,
  last_backup: ago(HOUR),
  unprotected: [
    mail("open.db", "changed", "it changed each time it was read"),
    mail("secret", "unreadable", "opening it failed: EACCES"),
    // The same file twice: its attributes and its contents.
    mail("secret", "unreadable", "reading its attributes failed: EACCES"),
    ...Array.from({ length: 5 }, (_, index) => mail(`keys/${index}.pem`, "unreadable", "opening it failed: EACCES")),
    mail("draft.eml", "not_found", "it is no longer there"),
    mail(`${"very long name ".repeat(12)}.eml`, "bad_path", "the path has 4200 bytes, at most 4096 are possible"),
    mail("index", "busy", "opening it failed: EMFILE"),
    mail("scans/7.tif", "disk_failed", "reading it failed: EIO"),
    mail("tagged", "malformed", "it has more metadata than can be kept"),
  ],
});

export const folderScenes: Scenes = {
  "folders-empty": () => scene([]),
  "folders-working": () => ({
    host: hostOf(),
    status: statusOf({
      folders: [folder("/home/alice/Pictures", { state: { kind: "backing_up" } })],
      jobs: [job({ task: { kind: "backup", folders: ["/home/alice/Pictures"], is_scheduled: false }, phase: { kind: "reading" }, progress: { files_done: 3_291, files_total: 8_214, bytes_done: 16.6 * GB, bytes_total: 41.6 * GB, bytes_moved: 45.1 * GB }, bytes_per_second: 4.1 * MB, remaining_seconds: 6_100, current: "/home/alice/Pictures/2024/DSC_4711.NEF" })],
    }),
    answers: {
      ...answers,
      backup: (_, world) => {
        throw world.fail("busy", "a backup is running already; wait until it is done");
      },
    },
  }),
  "folders-many": () => scene(many),
  "folders-sixty": () => scene(sixty()),
  "folder-quiet": () => one({ kind: "quiet" }, { next_backup: soon(48) }),
  "folder-changed": () => one({ kind: "changed", due_at: soon(1) }),
  "folder-backing-up": () => one({ kind: "backing_up" }),
  "folder-failed": () => one({ kind: "failed", retry_at: soon(5), error: "disk_full" }),
  "folder-away": () => one({ kind: "away" }, { watch_problem: "the folder is not there" }),
  "folder-watch": () => one({ kind: "quiet" }, { watch_problem: "the system does not watch more folders for you (fs.inotify.max_user_watches); the folder is looked through every hour instead" }),
  "folder-problems": () => scene([troubled]),
  "folders-loading": () => ({ ...scene([]), answers: { status: () => new Promise(() => undefined) } }),
  "folders-node-error": () => ({
    ...scene([]),
    answers: {
      status: (_, world) => {
        throw world.fail("internal", "the catalogue does not answer");
      },
    },
  }),
};
