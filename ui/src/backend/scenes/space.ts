/** Scenes of space shared with others: none, some, used. */
import type { ContractView } from "../bindings";
import { GB, hex, hostOf, named, statusOf } from "./people";
import type { Scene, Scenes } from "./scene";

const answers: NonNullable<Scene["answers"]> = {
  customer_list: () => [],
  offer: ({ bytes }, world) => world.setStatus({ offered_bytes: bytes }),
};

export const spaceScenes: Scenes = {
  "space-off": () => ({ host: hostOf(), status: statusOf({ offered_bytes: 0, used_by_others_bytes: 0 }), answers }),
  "space-used": () => ({
    host: hostOf(),
    status: statusOf({ offered_bytes: 100 * GB, used_by_others_bytes: 37.5 * GB, disk_free_bytes: 214 * GB }),
    answers: { ...answers, customer_list: () => [customer("bob", 20, 18.2, true), customer("clara", 25, 11.4, true), customer("karl", 20, 7.9, false), customer("lotte", 10, 0, false)] },
  }),
  "space-full-disk": () => ({
    host: hostOf(),
    status: statusOf({ offered_bytes: 40 * GB, used_by_others_bytes: 37.5 * GB, disk_free_bytes: null }),
    answers: { ...answers, customer_list: () => Array.from({ length: 60 }, (_, index) => customer(`person ${index + 1}`, 2, (index % 9) / 6, index % 3 !== 0)) },
  }),
};

function customer(nickname: string, agreed: number, used: number, online: boolean): ContractView {
  return { identity: hex(nickname), name: named(nickname), device: hex(`${nickname} device`), contract_bytes: agreed * GB, used_bytes: used * GB, online };
}
