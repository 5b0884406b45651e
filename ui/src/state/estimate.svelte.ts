/** How much a folder would be. The newest question counts, however late older answers come. */
import { asApiError, backend } from "../backend/backend";
import type { ApiError, EstimateView } from "../backend/bindings";

export type Estimate = { kind: "looking" } | { kind: "known"; view: EstimateView } | { kind: "failed"; error: ApiError; hasPatterns: boolean };

export interface Estimator {
  readonly now: Estimate;
  look(excludes: string[]): Promise<void>;
  /** Looks when no further question comes for a moment: while somebody types. */
  lookSoon(excludes: string[]): void;
  end(): void;
}

const TYPING = 600;

export function estimatorOf(path: string): Estimator {
  let now = $state.raw<Estimate>({ kind: "looking" });
  let asked = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function look(excludes: string[]): Promise<void> {
    clearTimeout(timer);
    asked += 1;
    const question = asked;
    now = { kind: "looking" };
    const answer = await ask(path, excludes);
    if (question === asked) now = answer;
  }

  return {
    get now() {
      return now;
    },
    look,
    lookSoon(excludes) {
      clearTimeout(timer);
      timer = setTimeout(() => void look(excludes), TYPING);
    },
    end: () => clearTimeout(timer),
  };
}

async function ask(path: string, excludes: string[]): Promise<Estimate> {
  try {
    return { kind: "known", view: await backend().call("folder_estimate", { path, excludes }) };
  } catch (error) {
    return { kind: "failed", error: asApiError(error), hasPatterns: excludes.length > 0 };
  }
}
