/** The settings as the node last told them, and the devices of the identity. */
import { asApiError, backend } from "../backend/backend";
import type { ApiError, DeviceView } from "../backend/bindings";
import { settingsOf, type Setting, type Settings } from "../lib/settings";

let all = $state.raw<Settings | null>(null);
let error = $state.raw<ApiError | null>(null);
let devices = $state.raw<DeviceView[] | null>(null);

export const settings = {
  /** Null until the first answer. */
  get all(): Settings | null {
    return all;
  },
  get error(): ApiError | null {
    return error;
  },
  get devices(): DeviceView[] | null {
    return devices;
  },
  get(key: string): Setting | null {
    return all?.get(key) ?? null;
  },
  async load(): Promise<void> {
    try {
      all = settingsOf(await backend().call("settings_get", { key: null }));
      error = null;
    } catch (cause) {
      error = asApiError(cause);
    }
  },
  async loadDevices(): Promise<void> {
    devices = await backend().call("device_list", {});
  },
  /** Changes one and reads all again: the node may have written it otherwise. */
  async set(key: string, value: string): Promise<void> {
    await backend().call("settings_set", { key, value });
    await settings.load();
  },
};

/** Whether these are the words of this identity. */
export function checkPhrase(words: readonly string[]): Promise<boolean> {
  return backend().call("phrase_check", { phrase: words.join(" ") });
}
