/** Scenes of the settings: as they are at home, and with a flag, an own code and keys in a file. */
import type { SettingView } from "../bindings";
import { ago, DAY, GB, hex, hostOf, statusOf } from "./people";
import type { Scene, Scenes } from "./scene";

const standard: SettingView[] = [
  { key: "bootstrap", value: "/dns/entry.example.org/tcp/4001,/ip4/192.0.2.7/udp/4001/quic-v1", from: "home" },
  { key: "code", value: "default", from: "default" },
  { key: "contract", value: String(10 * GB), from: "default" },
  { key: "external", value: "", from: "default" },
  { key: "listen", value: "", from: "default" },
  { key: "network", value: "main", from: "default" },
  { key: "offer", value: String(100 * GB), from: "home" },
  { key: "scope", value: "internet", from: "default" },
  { key: "suppliers", value: "6", from: "home" },
];

const devices: NonNullable<Scene["answers"]> = {
  device_list: () => [
    { device: hex("old laptop"), since: ago(900 * DAY), this: false, fenced: true },
    { device: hex("alice device"), since: ago(120 * DAY), this: true, fenced: false },
    { device: hex("tower"), since: null, this: false, fenced: false },
  ],
  supplier_hire: () => undefined,
};

function sceneOf(change: Partial<Record<string, Partial<SettingView>>>, status: Scene["status"] = statusOf()): Scene {
  let views = standard.map((view) => ({ ...view, ...change[view.key] }));
  return {
    host: hostOf(),
    status,
    answers: {
      ...devices,
      settings_get: () => views,
      settings_set: ({ key, value }, world) => {
        if (value.includes("refuse")) throw world.fail("bad_request", `"${value}" is no address; nothing was changed`);
        views = views.map((view) => (view.key === key ? { key, value, from: "home" } : view));
      },
    },
  };
}

export const settingsScenes: Scenes = {
  settings: () => sceneOf({}),
  "settings-odd": () =>
    sceneOf(
      { listen: { value: "/ip4/0.0.0.0/tcp/4242", from: "flag" }, code: { value: "3/8", from: "home" }, suppliers: { value: "0", from: "default" } },
      statusOf({ keys: "file", phrase_confirmed: false, listening: Array.from({ length: 9 }, (_, index) => `/ip4/10.0.0.${index + 1}/tcp/4242`) }),
    ),
};
