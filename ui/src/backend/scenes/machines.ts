/** Scenes of running machines, as the node names them. */
import { hex, hostOf, NICKNAMES, statusOf } from "./people";
import type { Scenes } from "./scene";

const few: [string, string][] = [
  ["set-up", "Ready"],
  ["supplier search", "Waiting"],
  ["set", "Formed"],
  ["head", "Published"],
  ...NICKNAMES.flatMap((nickname, index): [string, string][] => {
    const device = hex(`${nickname} device`, 8);
    return [
      [`supplier link ${device}`, index === 2 ? "Offline" : index === 5 ? "Dialing" : "Contracted"],
      [`check ${device}`, index === 2 ? "Overdue" : "Resting"],
    ];
  }),
  ["backup 12", "WaitingForSuppliers"],
];

export const machineScenes: Scenes = {
  "machines-live": () => ({ host: hostOf(), status: statusOf({ machines: few }) }),
  "machines-many": () => ({
    host: hostOf(),
    status: statusOf({ machines: Array.from({ length: 200 }, (_, index): [string, string] => [`supplier link ${hex(`device ${index}`, 8)}`, index % 7 === 0 ? "Offline" : "Contracted"]) }),
  }),
};
