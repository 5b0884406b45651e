/** How jobs of this session ended; those that run are in the status. */
import { SvelteMap } from "svelte/reactivity";

import type { JobId, JobReport } from "../backend/bindings";

const KEPT = 50;
const ended = new SvelteMap<JobId, JobReport>();
let lastBackup = $state.raw<JobReport | null>(null);

export const jobs = {
  /** How the last backup ended that made a version; null when it was read. */
  get lastBackup(): JobReport | null {
    return lastBackup;
  },
  dismissBackup(): void {
    lastBackup = null;
  },
  report(job: JobId): JobReport | null {
    return ended.get(job) ?? null;
  },
  end(job: JobId, report: JobReport): void {
    ended.set(job, report);
    // Only a backup tells how well everything is kept.
    if (report.protection !== null) lastBackup = report;
    const oldest = ended.keys().next();
    if (ended.size > KEPT && !oldest.done) ended.delete(oldest.value);
  },
  forget(): void {
    ended.clear();
    lastBackup = null;
  },
};
