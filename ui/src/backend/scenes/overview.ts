/** Scenes of the overview; other views play them too. */
import { hostOf, statusOf } from "./people";
import type { Scenes } from "./scene";

export const overviewScenes: Scenes = {
  protected: () => ({ host: hostOf(), status: statusOf() }),
  empty: () => ({ host: hostOf(), status: statusOf({ protection: { kind: "nothing" }, folders: [], suppliers: [], head: null, code: null, notices: [], last_verify: null, packed_bytes: 0, metadata_bytes: 0, used_by_others_bytes: 0 }) }),
};
