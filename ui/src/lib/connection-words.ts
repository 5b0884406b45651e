/** Whether anybody is connected at all. */
import type { StatusView } from "../backend/bindings";

/** `alone`: nobody is connected, and nobody is known; `offline`: some are known, and none is connected. */
export type Connection = "some" | "alone" | "offline";

export function connectionOf({ peers, suppliers }: Pick<StatusView, "peers" | "suppliers">): Connection {
  if (peers > 0) return "some";
  return suppliers.length === 0 ? "alone" : "offline";
}
