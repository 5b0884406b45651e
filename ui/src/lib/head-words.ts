/** Who has the newest version. */
import type { HeadView, KeptView } from "../backend/bindings";
import { text } from "../text/text";

/** Nobody is not said as a number of people. */
export function headWords({ sequence, confirmed, of }: HeadView): string {
  // Written without marks between its digits, for it is a name.
  const number = String(sequence);
  if (confirmed === 0) return text("restore.head_none", { sequence: number });
  return text("restore.head_some", { sequence: number, confirmed, of });
}

/** Who has one of the versions. */
export function keptWords({ confirmed, of }: KeptView): string {
  return confirmed === 0 ? text("restore.kept_none") : text("restore.kept", { confirmed, of });
}
