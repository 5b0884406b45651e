/** Who cannot be counted on now, and how it is said. */
import type { StatusView, SupplierView } from "../backend/bindings";
import { text } from "../text/text";
import { relative } from "./format";
import { splitName, type SetPicture } from "./people";

export interface Away {
  suppliers: SupplierView[];
  /** Without them not all of it can be restored: lost for good, or until some of them are back. */
  kind: "spare" | "unreachable" | "lost";
}

/** Null where nobody is missed, or while the first pieces are on their way to them. */
export function awayOf(view: StatusView, set: SetPicture | null): Away | null {
  if (set === null || !set.isFormed || view.protection.kind === "nothing" || view.jobs.some((job) => job.task.kind === "backup")) return null;
  const isTight = set.now.kind === "unreachable" || (set.now.kind === "restorable" && set.now.mayFail === 0);
  const suppliers = view.suppliers.filter(({ position, confirmed, is_suspect, online }) => position !== null && (!confirmed || is_suspect || (isTight && !online)));
  if (suppliers.length === 0) return null;
  return { suppliers, kind: set.now.kind === "lacking" ? "lost" : set.now.kind === "unreachable" ? "unreachable" : "spare" };
}

/** Somebody in a list of those who are missed. */
export function awayWords({ name, online, last_seen }: SupplierView, now: number): string {
  const { nickname } = splitName(name);
  if (online) return text("overview.away_row_here", { name: nickname });
  return last_seen === null ? text("overview.away_row_never", { name: nickname }) : text("overview.away_row", { name: nickname, when: relative(last_seen, now) });
}
