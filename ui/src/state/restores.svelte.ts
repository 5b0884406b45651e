/**
 * Restores that this window began, so that their ends are shown where they were begun. The node
 * takes many at once; folders that are asked for together go one after the other, so that each
 * is back as soon as can be and no two write to one place.
 */
import { asApiError, backend } from "../backend/backend";
import type { ApiError, Conflict, JobId, JobReport } from "../backend/bindings";
import type { RestorePart } from "../lib/restore-plan";
import { jobs } from "./jobs.svelte";

export type Stage =
  | { kind: "waiting" }
  | { kind: "asked" }
  | { kind: "running"; job: JobId }
  | { kind: "ended"; report: JobReport }
  | { kind: "refused"; error: ApiError }
  | { kind: "dropped" };

export interface Restoring {
  part: RestorePart;
  stage: Stage;
}

/** What was asked for in one dialog. */
export interface Batch {
  id: number;
  /** The folder written into; null: back where it was. */
  to: string | null;
  conflict: Conflict;
  items: readonly Restoring[];
}

let list = $state.raw<readonly Batch[]>([]);
let last = 0;

export const restores = {
  get list(): readonly Batch[] {
    return list;
  },
  /** Gives why a single part was refused; several report for themselves. */
  async begin(parts: readonly RestorePart[], to: string | null, conflict: Conflict): Promise<ApiError | null> {
    const id = ++last;
    list = [...list, { id, to, conflict, items: parts.map((part) => ({ part, stage: { kind: "waiting" } })) }];
    await advance(id);
    const stage = batchOf(id)?.items[0]?.stage;
    if (parts.length > 1 || stage?.kind !== "refused") return null;
    restores.dismiss(id);
    return stage.error;
  },
  end(job: JobId, report: JobReport): void {
    for (const { id, items } of list) {
      const index = items.findIndex(({ stage }) => stage.kind === "running" && stage.job === job);
      if (index < 0) continue;
      put(id, index, { kind: "ended", report });
      void advance(id);
    }
  },
  /** Nothing further begins, and what runs is cancelled. */
  async stop(id: number): Promise<void> {
    batchOf(id)?.items.forEach(({ stage }, index) => {
      if (stage.kind === "waiting") put(id, index, { kind: "dropped" });
    });
    for (const { stage } of batchOf(id)?.items ?? []) if (stage.kind === "running") await backend().call("cancel", { job: stage.job });
  },
  dismiss(id: number): void {
    list = list.filter((batch) => batch.id !== id);
  },
  /** The numbers of jobs are those of one run of the node. */
  forget(): void {
    list = [];
  },
};

export function isOver({ items }: Batch): boolean {
  return items.every(({ stage }) => stage.kind !== "waiting" && !isUnderWay(stage));
}

async function advance(id: number): Promise<void> {
  const batch = batchOf(id);
  const index = batch?.items.findIndex(({ stage }) => stage.kind === "waiting") ?? -1;
  const part = batch?.items[index]?.part;
  if (batch === undefined || part === undefined || batch.items.some(({ stage }) => isUnderWay(stage))) return;
  put(id, index, { kind: "asked" });
  put(id, index, await asked(part, batch));
  await advance(id);
}

async function asked(part: RestorePart, { to, conflict }: Batch): Promise<Stage> {
  try {
    const job = await backend().call("restore", { target: part.snapshot, only: part.only.map(({ path }) => path), to, conflict });
    const report = jobs.report(job);
    return report === null ? { kind: "running", job } : { kind: "ended", report };
  } catch (error) {
    return { kind: "refused", error: asApiError(error) };
  }
}

function isUnderWay({ kind }: Stage): boolean {
  return kind === "asked" || kind === "running";
}

function batchOf(id: number): Batch | undefined {
  return list.find((batch) => batch.id === id);
}

function put(id: number, index: number, stage: Stage): void {
  list = list.map((batch) => (batch.id === id ? { ...batch, items: batch.items.map((item, at) => (at === index ? { ...item, stage } : item)) } : batch));
}
