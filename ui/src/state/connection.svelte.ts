/** Takes what host and node tell and hands it to the states that keep it. */
import { backend } from "../backend/backend";
import type { HostEvent } from "../backend/bindings";
import { sentence } from "../lib/happenings";
import { never } from "../lib/never";
import { host } from "./host.svelte";
import { jobs } from "./jobs.svelte";
import { attempt } from "./notices.svelte";
import { restores } from "./restores.svelte";
import { status } from "./status.svelte";
import { versions } from "./versions.svelte";

/** Listens first and asks then, so that nothing is missed in between. */
export function startConnection(): () => void {
  const end = backend().subscribe(take);
  void host.load().then(() => (host.runs ? attempt(status.load()) : undefined));
  return end;
}

function take(event: HostEvent): void {
  if (event.from === "host") return takeHost(event.view);
  switch (event.event.event) {
    case "status":
      return status.take(event.event.status);
    case "ended":
      jobs.end(event.event.job, event.event.report);
      return restores.end(event.event.job, event.event.report);
    case "notice":
      // The status has it as well; this one is for who does not look.
      if (event.event.line.severity === "problem") void backend().shell.notify(sentence(event.event.line));
      return;
    case "progress":
      return; // The status has it.
    default:
      return never(event.event);
  }
}

function takeHost(view: Parameters<typeof host.take>[0]): void {
  const ran = host.runs;
  host.take(view);
  if (host.runs === ran) return;
  status.take(null);
  jobs.forget();
  restores.forget();
  versions.forget();
  if (host.runs) void attempt(status.load());
}
