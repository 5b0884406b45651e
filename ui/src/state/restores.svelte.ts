/** Restores that this window began, so that their ends are shown where they were begun. */
import type { JobId } from "../backend/bindings";

export interface Begun {
  job: JobId;
  /** Where it writes. */
  to: string;
}

let begun = $state.raw<readonly Begun[]>([]);

export const restores = {
  get list(): readonly Begun[] {
    return begun;
  },
  begin(job: JobId, to: string): void {
    begun = [...begun, { job, to }];
  },
  dismiss(job: JobId): void {
    begun = begun.filter((it) => it.job !== job);
  },
};
