/** Scenes of the way back: no versions, many, a folder of a million, suppliers away, search. */
import type { EntryView, ListingView, SnapshotView } from "../bindings";
import { ago, DAY, GB, hex, hostOf, HOUR, MB, statusOf } from "./people";
import type { Scene, Scenes } from "./scene";

const PAGE = 1_000;
const MILLION = 1_000_000;
const VERSIONS = 2_000;

function entry(name: string, kind: string, change: Partial<EntryView> = {}): EntryView {
  return { name, kind, bytes: kind === "file" ? 2.4 * MB : 0, mode: 0o644, mtime_seconds: Math.floor(ago(40 * DAY) / 1000), target: null, ...change };
}

function version(index: number, path: string): SnapshotView {
  return { id: hex(`${path} ${index}`), path, device: hex("device"), taken_at: ago(index * 9 * HOUR), files: 8_214 - index, bytes: 41.6 * GB, problems: index % 7 === 3 ? 2 : 0 };
}

const album: EntryView[] = [
  entry("2025", "directory"),
  entry("2026", "directory"),
  entry("caf%C3%A9 50%25.txt", "file", { bytes: 812 }),
  entry("latest", "symlink", { target: "2026" }),
  entry("notes.txt", "file", { bytes: 4_120 }),
];

/** Names as they sort; made when they are asked for. */
function million(after: string | null): ListingView {
  const first = after === null ? 0 : Number(after.slice(4, 11)) + 1;
  const count = Math.min(PAGE, MILLION - first);
  const entries = Array.from({ length: count }, (_, index) => entry(`IMG_${String(first + index).padStart(7, "0")}.jpg`, "file"));
  return { entries, more: first + count < MILLION };
}

const answers: NonNullable<Scene["answers"]> = {
  snapshots: () => [...Array.from({ length: VERSIONS }, (_, index) => version(index, "/home/alice/Pictures")), version(1, "/home/alice/Documents")],
  list: ({ target }) => (target.endsWith(":") ? { entries: album, more: false } : { entries: [entry("inside.jpg", "file")], more: false }),
  preview: ({ target }) => (target.endsWith(".txt") ? { kind: "text", text: "Dear all,\nthe pictures of the summer are in 2026.\n", is_cut: false } : { kind: "none", bytes: 5 * MB }),
  search: ({ text }) => (text === "nothing" ? [] : [{ snapshot: version(0, "/home/alice/Pictures").id, folder: "/home/alice/Pictures", taken_at: ago(HOUR), path: "2026/inside.jpg", entry: entry("inside.jpg", "file") }]),
  restore: ({ to }, world) => {
    const report = { outcome: "partial" as const, progress: { files_done: 8_210, files_total: 8_214, bytes_done: 41 * GB, bytes_total: 41.6 * GB, bytes_moved: 41 * GB }, snapshots: [], problems: [{ path: Array.from(new TextEncoder().encode(`${to ?? "/home/alice/Pictures"}/2026/lost.jpg`)), code: "too_few_shards" as const, detail: "too few people have it" }], problems_unlisted: 3, new_bytes: 0, packed_bytes: 0, error: null, message: null, verified: null };
    queueMicrotask(() => world.tell({ event: "ended", job: 9, report }));
    return 9;
  },
};

/** A backup that ends while somebody looks: with a new head there is a newer version. */
const NEW_HEAD = 999_999;
function growing(): NonNullable<Scene["answers"]> {
  return {
    ...answers,
    snapshots: (_, world) => [0, 1, 2].filter((index) => index > 0 || world.status.head?.sequence === NEW_HEAD).map((index) => version(index, "/home/alice/Pictures")),
  };
}

export const restoreScenes: Scenes = {
  "restore-growing": () => ({ host: hostOf(), status: statusOf(), answers: growing() }),
  "restore-empty": () => ({ host: hostOf(), status: statusOf({ folders: [] }), answers: { snapshots: () => [] } }),
  "restore-many-versions": () => ({ host: hostOf(), status: statusOf(), answers }),
  "restore-million": () => ({ host: hostOf(), status: statusOf(), answers: { ...answers, list: ({ after }) => million(after) } }),
  "restore-unreachable": () => ({
    host: hostOf(),
    status: statusOf(),
    answers: {
      ...answers,
      list: (_, world) => {
        throw world.fail("too_few_shards", "too few suppliers that hold the data can be reached");
      },
    },
  }),
};
