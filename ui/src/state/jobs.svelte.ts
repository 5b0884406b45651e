/** How jobs of this session ended; those that run are in the status. */
import { SvelteMap } from "svelte/reactivity";

import type { JobId, JobReport } from "../backend/bindings";

const KEPT = 50;
const ended = new SvelteMap<JobId, JobReport>();

export const jobs = {
  report(job: JobId): JobReport | null {
    return ended.get(job) ?? null;
  },
  end(job: JobId, report: JobReport): void {
    ended.set(job, report);
    const oldest = ended.keys().next();
    if (ended.size > KEPT && !oldest.done) ended.delete(oldest.value);
  },
  forget(): void {
    ended.clear();
  },
};
