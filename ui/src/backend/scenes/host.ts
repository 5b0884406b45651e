/** Scenes of the time before a node runs. */
import { hostOf } from "./people";
import type { Scenes } from "./scene";

export const hostScenes: Scenes = {
  "first-run": () => ({ host: hostOf({ state: { kind: "absent" } }), status: null }),
};
