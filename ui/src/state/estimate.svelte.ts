/** How much a folder would be. The newest question counts, however late older answers come. */
import { asApiError, backend } from "../backend/backend";
import type { ApiError, EstimateView, FolderView } from "../backend/bindings";

export type Estimate = { kind: "looking" } | { kind: "known"; view: EstimateView } | { kind: "failed"; error: ApiError; hasPatterns: boolean };

/** What belongs to a folder and what does not. */
export type Rules = Pick<FolderView, "excludes" | "crosses_mounts">;

export interface Estimator {
  readonly now: Estimate;
  look(rules: Rules): Promise<void>;
  /** Looks when no further question comes for a moment: while somebody types. */
  lookSoon(rules: Rules): void;
  end(): void;
}

const TYPING = 600;

export function estimatorOf(path: string): Estimator {
  let now = $state.raw<Estimate>({ kind: "looking" });
  let asked = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function look(rules: Rules): Promise<void> {
    clearTimeout(timer);
    asked += 1;
    const question = asked;
    now = { kind: "looking" };
    const answer = await ask(path, rules);
    if (question === asked) now = answer;
  }

  return {
    get now() {
      return now;
    },
    look,
    lookSoon(rules) {
      clearTimeout(timer);
      timer = setTimeout(() => void look(rules), TYPING);
    },
    end: () => clearTimeout(timer),
  };
}

async function ask(path: string, rules: Rules): Promise<Estimate> {
  try {
    return { kind: "known", view: await backend().call("folder_estimate", { path, ...rules }) };
  } catch (error) {
    return { kind: "failed", error: asApiError(error), hasPatterns: rules.excludes.length > 0 };
  }
}
