/** The window is hidden until there is something to see; then the shell is told, once. */
import { backend } from "../backend/backend";
import { host } from "./host.svelte";
import { takeInvitation } from "./invitation.svelte";
import { status } from "./status.svelte";

export const opening = {
  /** Whether what is known is what a person wants to see: how things stand, or why not. */
  get isOver(): boolean {
    if (host.view === null) return host.error !== null;
    return host.runs ? status.view !== null : host.view.state.kind !== "starting";
  },
};

/** To be called when the page has drawn it. */
export async function tellReady(): Promise<void> {
  const invitation = await backend().shell.ready();
  if (invitation !== null) takeInvitation(invitation);
}
