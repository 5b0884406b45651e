import { activity } from "./de/activity";
import { app } from "./de/app";
import { errors } from "./de/errors";
import { folders } from "./de/folders";
import { kit } from "./de/kit";
import { machineAbouts, machineNames, machineStates } from "./de/machine-names";
import { machines } from "./de/machines";
import { overview } from "./de/overview";
import { parts } from "./de/parts";
import { recover } from "./de/recover";
import { restore } from "./de/restore";
import { safety } from "./de/safety";
import { settings } from "./de/settings";
import { setup } from "./de/setup";
import { space } from "./de/space";
import { suppliers } from "./de/suppliers";

/** German. */
export const de = { app, parts, errors, safety, setup, kit, recover, overview, folders, restore, suppliers, space, activity, machines, machineNames, machineAbouts, machineStates, settings };
