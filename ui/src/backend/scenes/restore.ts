/** Scenes of the way back: no versions, many, several folders, a folder of a million, suppliers away. */
import type { EntryView, FileVersionView, FoundView, JobReport, ListingView, SnapshotView } from "../bindings";
import { ago, DAY, GB, hex, hostOf, HOUR, job, MB, MINUTE, statusOf } from "./people";
import { EVENING } from "./picture";
import type { Scene, Scenes, World } from "./scene";

const PAGE = 1_000;
const MILLION = 1_000_000;
const VERSIONS = 2_000;
const PICTURES = "/home/alice/Pictures";

type Answers = NonNullable<Scene["answers"]>;

function entry(name: string, kind: string, change: Partial<EntryView> = {}): EntryView {
  return { name, kind, bytes: kind === "file" ? 2.4 * MB : 0, mode: 0o644, mtime_seconds: Math.floor(ago(40 * DAY) / 1000), target: null, ...change };
}

function version(index: number, path: string, change: Partial<SnapshotView> = {}): SnapshotView {
  return { id: hex(`${path} ${index}`), path, device: hex("device"), taken_at: ago(index * 9 * HOUR + 20 * MINUTE), is_clock_suspect: false, files: 8_214 - index, bytes: 41.6 * GB, problems: index % 7 === 3 ? 2 : 0, kept: { confirmed: 6, of: 6 }, ...change };
}

/** As a node lists them. */
function oldestFirst(versions: SnapshotView[]): SnapshotView[] {
  return versions.sort((one, other) => one.taken_at - other.taken_at);
}

const notes = entry("notes.txt", "file", { bytes: 4_120 });
const album: EntryView[] = [
  entry("2025", "directory"),
  entry("2026", "directory"),
  entry("caf%C3%A9 50%25.txt", "file", { bytes: 812 }),
  entry("evening.png", "file", { bytes: 1.8 * MB }),
  entry("latest", "symlink", { target: "2026" }),
  notes,
];

/** Names as they sort; made when they are asked for. */
function million(after: string | null): ListingView {
  const first = after === null ? 0 : Number(after.slice(4, 11)) + 1;
  const count = Math.min(PAGE, MILLION - first);
  const entries = Array.from({ length: count }, (_, index) => entry(`IMG_${String(first + index).padStart(7, "0")}.jpg`, "file"));
  return { entries, more: first + count < MILLION };
}

function fileVersions({ entry: file }: { entry: EntryView }): FileVersionView[] {
  return [0, 3, 31, 190].map((index) => ({ snapshot: version(index, PICTURES).id, taken_at: version(index, PICTURES).taken_at, entry: { ...file, bytes: file.bytes - index * 11 } }));
}

function found(index: number, folder: string, path: string): FoundView {
  return { snapshot: version(index, folder).id, folder, taken_at: version(index, folder).taken_at, path, entry: entry(path.slice(path.lastIndexOf("/") + 1), "file") };
}

/** All but one of the files of a version; what failed counts as done. */
function report(place: string): JobReport {
  return {
    outcome: "partial",
    progress: { files_done: 8_214, files_total: 8_214, bytes_done: 41 * GB, bytes_total: 41.6 * GB, bytes_moved: 41 * GB },
    snapshots: [],
    problems: [{ path: [...new TextEncoder().encode(`${place}/2026/lost.jpg`)], code: "too_few_shards", detail: "too few people have it" }],
    problems_unlisted: 3,
    remarks: [],
    new_bytes: 0,
    packed_bytes: 0,
    error: null,
    message: null,
    verified: null, protection: null, owed: [],
  };
}

const answers: Answers = {
  snapshots: () => oldestFirst([...Array.from({ length: VERSIONS }, (_, index) => version(index, PICTURES)), version(1, "/home/alice/Documents")]),
  list: ({ target }) => (target.endsWith(":") ? { entries: album, more: false } : { entries: [entry("inside.jpg", "file"), entry("more", "directory")], more: false }),
  file_versions: () => fileVersions({ entry: notes }),
  preview: ({ target }) => {
    if (target.endsWith(".txt")) return { kind: "text", text: "Dear all,\nthe pictures of the summer are in 2026.\n", is_cut: false };
    return target.endsWith(".png") ? { kind: "image", media: "image/png", base64: EVENING } : { kind: "none", bytes: 5 * MB };
  },
  search: ({ text }) => (text === "nothing" ? [] : [found(0, PICTURES, "2026/inside.jpg"), found(4, PICTURES, "2025/inside the house.jpg"), found(1, "/home/alice/Documents", "plans/inside.odt")]),
  restore: ({ to }, world) => {
    queueMicrotask(() => world.tell({ event: "ended", job: 9, report: report(to ?? PICTURES) }));
    return 9;
  },
};

/** Three folders whose restores run until a spec ends them. */
export function severalFolders(): Answers {
  let last = 20;
  return {
    ...answers,
    snapshots: () => oldestFirst([version(0, PICTURES), version(1, PICTURES), version(2, "/home/alice/Documents", { files: 3_120, bytes: 6.2 * GB }), version(5, "/home/alice/Letters", { files: 412, bytes: 88 * MB })]),
    restore: ({ target, to, conflict }, world) => {
      last += 1;
      const folder = [PICTURES, "/home/alice/Documents", "/home/alice/Letters"].find((path) => [0, 1, 2, 5].some((index) => version(index, path).id === target)) ?? PICTURES;
      const begun = running(last, to ?? folder, target);
      begin(world, { ...begun, task: { kind: "restore", snapshot: target, path: "", to: to ?? folder, conflict } });
      return last;
    },
  };
}

function begin(world: World, begun: ReturnType<typeof job>): void {
  world.setStatus({ jobs: [...world.status.jobs, begun] });
}

function running(id: number, to: string, snapshot: string): ReturnType<typeof job> {
  return job({
    id,
    task: { kind: "restore", snapshot, path: "", to, conflict: "keep_both" },
    phase: { kind: "fetching" },
    progress: { files_done: 3_207, files_total: 4_100, bytes_done: 15.2 * GB, bytes_total: 20.1 * GB, bytes_moved: 15.4 * GB },
    bytes_per_second: 11.4 * MB,
    remaining_seconds: 430,
    current: "2026/summer/IMG_2041.mov",
  });
}

/** A backup that ends while somebody looks: with a new head there is a newer version. */
const NEW_HEAD = 999_999;
function growing(): Answers {
  return {
    ...answers,
    snapshots: (_, world) => [2, 1, 0].filter((index) => index > 0 || world.status.head?.sequence === NEW_HEAD).map((index) => version(index, PICTURES)),
  };
}

/** The version before the newest was taken while the clock was 400 days ahead. */
function oddTimes(): Answers {
  const odd = version(1, PICTURES, { taken_at: ago(-400 * DAY), is_clock_suspect: true });
  const good = version(0, PICTURES);
  return {
    ...answers,
    snapshots: () => [version(2, PICTURES), odd, good],
    file_versions: () => [good, odd].map(({ id, taken_at }) => ({ snapshot: id, taken_at, entry: notes })),
    search: () => [{ snapshot: odd.id, folder: PICTURES, taken_at: odd.taken_at, path: "notes.txt", entry: notes }],
  };
}

/** The second page fails once. */
function breaking(): Answers {
  let fails = true;
  return {
    ...answers,
    list: ({ after }, world) => {
      if (after === null || !fails) return million(after);
      fails = false;
      throw world.fail("too_few_shards", "too few suppliers that hold the data can be reached");
    },
  };
}

/** As an answer of a node: other events come in between. */
function soon<T>(answer: T): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(answer)));
}

const never = (): Promise<never> => new Promise(() => undefined);
const away = (_: unknown, world: World): never => {
  throw world.fail("too_few_shards", "too few suppliers that hold the data can be reached");
};

function scene(change: Answers, jobs: ReturnType<typeof job>[] = []): Scene {
  return { host: hostOf(), status: statusOf({ jobs }), answers: { ...answers, ...change } };
}

export const restoreScenes: Scenes = {
  "restore-growing": () => scene(growing()),
  "restore-empty": () => ({ host: hostOf(), status: statusOf({ folders: [] }), answers: { snapshots: () => [] } }),
  "restore-many-versions": () => scene({}),
  "restore-several-folders": () => scene(severalFolders()),
  "restore-running": () => scene({}, [running(3, PICTURES, version(0, PICTURES).id)]),
  "restore-million": () => scene({ list: ({ after }) => soon(million(after)) }),
  "restore-odd-times": () => scene(oddTimes()),
  "restore-page-fails": () => scene(breaking()),
  "restore-loading": () => scene({ snapshots: never }),
  "restore-listing": () => scene({ list: never }),
  "restore-file-versions-none": () => scene({ file_versions: () => [] }),
  "restore-file-versions-loading": () => scene({ file_versions: never }),
  "restore-unreachable": () => scene({ list: away }),
  "restore-file-versions-away": () => scene({ file_versions: away }),
  "restore-versions-away": () => scene({ snapshots: away }),
};
