/** Scenes of folders: none, many in all their states, one with problems. */
import type { EstimateView, FolderView } from "../bindings";
import { ago, DAY, folder, GB, hostOf, HOUR, MB, MINUTE, statusOf } from "./people";
import type { Scene, Scenes } from "./scene";

const estimate: EstimateView = {
  files: 8_214,
  bytes: 41.6 * GB,
  excluded: ["project/node_modules", "project/target"],
  excluded_count: 2,
  unreadable: ["/home/alice/Pictures/locked.raw"],
  unreadable_count: 1,
  is_cut: false,
};

const answers: NonNullable<Scene["answers"]> = {
  folder_estimate: ({ excludes }) => (excludes.length === 0 ? { ...estimate, excluded: [], excluded_count: 0 } : estimate),
  folder_add: ({ path }, world) => {
    const added = folder(path, { last_backup: null });
    world.setStatus({ folders: [...world.status.folders, added] });
    return added;
  },
  folder_change: ({ folder: id, excludes, schedule }, world) => {
    const changed = world.status.folders.map((it) => (it.id === id ? { ...it, excludes, schedule } : it));
    world.setStatus({ folders: changed });
    return changed.find((it) => it.id === id) ?? folder("/gone");
  },
  folder_remove: ({ folder: id }, world) => world.setStatus({ folders: world.status.folders.filter((it) => it.id !== id) }),
  backup: () => 7,
};

const many: FolderView[] = [
  folder("/home/alice/Pictures", { next_backup: Date.now() + 48 * MINUTE }),
  folder("/home/alice/Documents", { state: { kind: "changed", due_at: Date.now() + MINUTE }, files: 1_204, bytes: 812 * MB }),
  folder("/home/alice/Music", { state: { kind: "backing_up" }, files: 4_411, bytes: 22 * GB }),
  folder("/home/alice/Projects", { state: { kind: "failed", retry_at: Date.now() + 5 * MINUTE, error: "too_few_suppliers" }, schedule: { kind: "every", minutes: 90 } }),
  folder("/media/disk/Archive", { state: { kind: "away" }, last_backup: ago(3 * DAY), schedule: { kind: "manual" } }),
  folder("/home/alice/New", { last_backup: null, files: 0, bytes: 0 }),
];

const troubled = folder("/home/alice/Mail", {
  problems: 3,
  last_backup: ago(HOUR),
  watch_problem: "the system does not watch more folders for you",
  unprotected: [
    { path: "/home/alice/Mail/open.db", code: "changed", detail: "it changed each time it was read" },
    { path: "/home/alice/Mail/secret", code: "unreadable", detail: "permission denied" },
  ],
});

export const folderScenes: Scenes = {
  "folders-empty": () => ({ host: hostOf(), status: statusOf({ folders: [] }), answers }),
  "folders-many": () => ({ host: hostOf(), status: statusOf({ folders: many }), answers }),
  "folder-problems": () => ({ host: hostOf(), status: statusOf({ folders: [troubled] }), answers }),
};
