/** What the place beside the clock says, in the language of the window. */
import { backend } from "../backend/backend";
import { verdict } from "../lib/safety";
import { text } from "../text/text";
import { clock } from "./clock.svelte";
import { status } from "./status.svelte";

/** Keeps it told; to be called while a component is made. */
export function keepTrayTold(): void {
  // A sentence that is the same wakes nobody.
  const sentence = $derived(status.view === null ? "BitDust" : verdict(status.view, clock.now).title);
  $effect(() => {
    void backend().shell.nameTray({ sentence, open: text("app.tray_open"), back_up: text("app.tray_back_up"), quit: text("app.tray_quit"), hiding: text("app.tray_hiding") });
  });
}
