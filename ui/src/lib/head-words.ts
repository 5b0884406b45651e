/** Who has the newest version. */
import type { HeadView } from "../backend/bindings";
import { text } from "../text/text";

/** A node that was started just now has asked nobody yet, so nobody is not said as a number of people. */
export function headWords({ sequence, confirmed, of }: HeadView): string {
  // Written without marks between its digits, for it is a name.
  const number = String(sequence);
  if (confirmed === 0) return text("restore.head_none", { sequence: number });
  return text("restore.head_some", { sequence: number, confirmed, of });
}
