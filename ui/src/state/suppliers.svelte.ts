/** What a person can ask for about those who keep data. The list itself is in the status. */
import { backend } from "../backend/backend";
import type { SupplierView } from "../backend/bindings";
import { invitationCode } from "../lib/invitation";

/** A new invitation for one person, as its code. */
export function invite(): Promise<string> {
  return backend().call("invite", {});
}

export function accept(pasted: string): Promise<SupplierView> {
  return backend().call("accept", { code: invitationCode(pasted) });
}

/** How many people in all shall keep data; none: friends only. */
export function hire(count: number): Promise<void> {
  return backend().call("supplier_hire", { count });
}
