/**
 * The verdict that a node would give of a scene. The product's is made by the engine alone; a test
 * of the node gives it every scene of `told.json` and compares, so that this one cannot drift.
 */
import type { Asks, FindingView, FolderSaid, FolderVerdictView, FolderView, JobView, Level, Said, StatusView, VerdictView } from "../bindings";

type Facts = Omit<StatusView, "verdict">;

const order: Level[] = ["good", "plain", "working", "attention", "bad"];
const finding = (says: Said, level: Level, asks: Asks = "nothing", folders: FolderView[] = []): FindingView => ({ says, level, asks, folders: folders.map(({ id }) => id) });
const backups = ({ jobs }: Facts) => jobs.filter(({ task }) => task.kind === "backup");
/** Whether it gets forward by itself: one that waits for others may wait for days. */
const moves = ({ phase }: JobView): boolean => phase.kind === "waiting_for_supplier" || !phase.kind.startsWith("waiting");
const unfinished = (view: Facts): Level => (backups(view).some(moves) ? "working" : "attention");
const isLasting = (view: Facts): boolean => view.survival !== null && view.survival >= 0.999 && view.phrase_confirmed && view.scope !== "loopback";
const includes = ({ task }: JobView, folder: FolderView): boolean => task.kind === "backup" && task.folders.includes(folder.path);
const isOnItsWay = (view: Facts, folder: FolderView): boolean => backups(view).some((job) => job.phase.kind !== "waiting_for_suppliers" && includes(job, folder));

function folderVerdict(folder: FolderView, view: Facts): FolderVerdictView {
  const told = (says: FolderSaid, level: Level): FolderVerdictView => ({ says, level });
  if (view.protection.kind === "unknown" || folder.protection.kind === "unknown") return told({ kind: "unknown" }, "bad");
  if (folder.state.kind === "awaits_restore") return told({ kind: "awaits_restore" }, "attention");
  if (view.is_replaced) return told({ kind: "replaced" }, "bad");
  if (view.is_behind) return told({ kind: "behind" }, "bad");
  if (view.is_catching_up) return told({ kind: "catching_up" }, "attention");
  if (folder.protection.kind === "nothing" || folder.protection.kind === "partly") return isOnItsWay(view, folder) ? told({ kind: "first_backup" }, unfinished(view)) : told({ kind: "never_backed_up" }, "attention");
  if (folder.protection.kind === "stored" && view.enough !== null && folder.protection.confirmed < view.enough) return told({ kind: "would_lose", confirmed: folder.protection.confirmed, enough: view.enough }, "bad");
  if (folder.state.kind === "failed" || folder.state.kind === "away") return told({ kind: folder.state.kind }, "attention");
  if (folder.protection.kind === "stored") return told(folder.protection, unfinished(view));
  if (folder.problems > 0) return told({ kind: "problems", things: folder.problems }, "attention");
  if (view.scope === "loopback") return told({ kind: "practice" }, "plain");
  return told({ kind: isLasting(view) ? "protected" : "safe" }, "good");
}

function withoutBackup(view: Facts): FindingView[] {
  const missing = view.folders.filter(({ protection, state }) => protection.kind === "nothing" && state.kind !== "awaits_restore");
  if (missing.length === 0) return [];
  const isAll = missing.length === view.folders.length;
  const begun: Said = isAll ? { kind: "first_backup" } : { kind: "partly_backed_up", missing: missing.length };
  if (missing.every((folder) => isOnItsWay(view, folder))) return [finding(begun, unfinished(view), "nothing", missing)];
  for (const { phase } of backups(view)) if (phase.kind === "waiting_for_suppliers") return [finding({ ...phase, kind: "waits_for_people" }, "attention", "people", missing)];
  const isNone = isAll && !missing.some((folder) => isOnItsWay(view, folder));
  return [finding(isNone ? { kind: "never_backed_up" } : begun, "attention", "nothing", missing)];
}

function tooFew(view: Facts): FindingView[] {
  const few = view.folders.map(({ protection }) => protection).filter((it) => it.kind === "stored");
  const worst = few.sort((one, other) => one.confirmed - other.confirmed || one.needed - other.needed)[0];
  if (worst === undefined) return [];
  if (view.enough !== null && worst.confirmed < view.enough) return [finding({ kind: "would_lose", confirmed: worst.confirmed, enough: view.enough }, "bad", "suppliers")];
  return [finding(worst, unfinished(view))];
}

function findings(view: Facts): FindingView[] {
  if (view.protection.kind === "unknown") return [finding({ kind: "unknown" }, "bad")];
  if (view.is_restore_only) return [finding({ kind: "restore_only" }, "plain")];
  if (view.folders.length === 0 && !view.is_replaced && !view.is_behind && !view.is_catching_up) return [finding({ kind: "nothing_chosen" }, "plain", "folder")];
  const few = tooFew(view);
  const isLost = few.some(({ says }) => says.kind === "would_lose");
  const files = view.last_verify?.result.failed ?? 0;
  const isStored = view.folders.some(({ protection }) => protection.kind === "stored" || protection.kind === "safe");
  const inState = (kind: FolderView["state"]["kind"]) => view.folders.filter(({ state }) => state.kind === kind);
  const [failed, away, awaiting, but] = [inState("failed"), inState("away"), inState("awaits_restore"), view.folders.filter(({ problems }) => problems > 0)];
  return [
    ...(view.is_replaced ? [finding({ kind: "replaced" }, "bad")] : []),
    ...(view.is_behind ? [finding({ kind: "behind" }, "bad")] : []),
    ...(view.is_catching_up ? [finding({ kind: "catching_up" }, "attention")] : []),
    ...(isLost ? few : []),
    ...(files > 0 ? [finding({ kind: "test_failed", files }, "bad", "suppliers")] : []),
    ...withoutBackup(view),
    ...(awaiting.length > 0 ? [finding({ kind: "awaits_restore" }, "attention", "restore", awaiting)] : []),
    ...(isLost ? [] : few),
    ...(isStored && !view.phrase_confirmed && view.scope !== "loopback" ? [finding({ kind: "words_unchecked" }, "attention", "words")] : []),
    ...(failed.length > 0 ? [finding({ kind: "folder_failed" }, "attention", "nothing", failed)] : []),
    ...(away.length > 0 ? [finding({ kind: "folder_away" }, "attention", "nothing", away)] : []),
    ...(but.length > 0 ? [finding({ kind: "problems", things: but.reduce((sum, { problems }) => sum + problems, 0) }, "attention", "nothing", but)] : []),
  ];
}

function verdict(view: Facts): VerdictView {
  const well = view.scope === "loopback" ? finding({ kind: "practice" }, "plain") : finding({ kind: isLasting(view) ? "protected" : "safe" }, "good");
  const [first = well, ...also] = findings(view).sort((one, other) => order.indexOf(other.level) - order.indexOf(one.level));
  const times = view.folders.map(({ last_backup }) => last_backup).filter((time) => time !== null);
  return { first, also, oldest_backup: times.length === 0 ? null : Math.min(...times), within_reach: view.reach === null ? null : view.reach.spare !== null };
}

/** The same status with what is said of it. */
export function judged(view: Facts): StatusView {
  return { ...view, verdict: verdict(view), folders: view.folders.map((folder) => ({ ...folder, verdict: folderVerdict(folder, view) })) };
}
