/** All versions of all folders, as the node last listed them. */
import { asApiError, backend } from "../backend/backend";
import type { ApiError, SnapshotView } from "../backend/bindings";

let list = $state.raw<readonly SnapshotView[] | null>(null);
let error = $state.raw<ApiError | null>(null);

export const versions = {
  /** Null until the first answer. */
  get list(): readonly SnapshotView[] | null {
    return list;
  },
  /** Why the last question failed; the list before it stays. */
  get error(): ApiError | null {
    return error;
  },
  async load(): Promise<void> {
    try {
      list = await backend().call("snapshots", {});
      error = null;
    } catch (failure) {
      error = asApiError(failure);
    }
  },
  /** Another node, other versions. */
  forget(): void {
    list = null;
    error = null;
  },
};
