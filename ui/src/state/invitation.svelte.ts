/** An invitation that came by a link, until somebody has looked at it. */
import { backend } from "../backend/backend";
import { invitationCode } from "../lib/invitation";
import { go } from "./route.svelte";

let pending = $state<string | null>(null);

export const invitation = {
  get pending(): string | null {
    return pending;
  },
  done(): void {
    pending = null;
  },
};

/** Shows the people when a link is opened; the dialog is theirs. */
export function takeInvitation(code: string): void {
  pending = invitationCode(code);
  go("suppliers");
}

export function startInvitations(): () => void {
  return backend().shell.onInvitation(takeInvitation);
}
