/** Where the host stands, as it last said. */
import { asApiError, backend, type HostCalls } from "../backend/backend";
import type { ApiError, HostView } from "../backend/bindings";

let view = $state.raw<HostView | null>(null);
let error = $state.raw<ApiError | null>(null);

export const host = {
  /** Null until the first answer. */
  get view(): HostView | null {
    return view;
  },
  /** Why there is no first answer. */
  get error(): ApiError | null {
    return error;
  },
  /** Whether a node answers calls. */
  get runs(): boolean {
    return view?.state.kind === "running" || view?.state.kind === "attached";
  },
  get practises(): boolean {
    return view?.practice != null;
  },
  take(next: HostView): void {
    view = next;
    error = null;
  },
  async load(): Promise<void> {
    try {
      host.take(await backend().host("state", {}));
    } catch (cause) {
      error = asApiError(cause);
    }
  },
};

type ViewCall = { [K in keyof HostCalls]: HostCalls[K][1] extends HostView ? K : never }[keyof HostCalls];

/** A call that answers with where the host stands then. */
export async function hostCall<K extends ViewCall>(name: K, request: HostCalls[K][0]): Promise<void> {
  host.take(await backend().host(name, request) as HostView);
}
