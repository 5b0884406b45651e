/** Those whose data is kept here; asked again when the status says that something of it changed. */
import { asApiError, backend } from "../backend/backend";
import type { ApiError, ContractView } from "../backend/bindings";

let list = $state.raw<ContractView[] | null>(null);
let error = $state.raw<ApiError | null>(null);

export const customers = {
  /** Null until the first answer. */
  get list(): ContractView[] | null {
    return list;
  },
  get error(): ApiError | null {
    return error;
  },
  async load(): Promise<void> {
    try {
      list = await backend().call("customer_list", {});
      error = null;
    } catch (cause) {
      error = asApiError(cause);
    }
  },
};

/** Offers so many bytes to others. */
export function offer(bytes: number): Promise<void> {
  return backend().call("offer", { bytes });
}
