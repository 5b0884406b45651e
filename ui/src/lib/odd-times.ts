/** Times of versions that cannot be right: taken while a clock was wrong. */
import type { SnapshotView } from "../backend/bindings";

/** Clocks of two machines differ by this much without a fault, in milliseconds. */
const AHEAD_MAX = 10 * 60_000;

/** By the node, which compares a version with those around it, or because it is in the future. */
export function isOddTime(snapshot: string, at: number, all: readonly SnapshotView[], now: number): boolean {
  return at > now + AHEAD_MAX || all.some(({ id, is_clock_suspect }) => is_clock_suspect && id === snapshot);
}
