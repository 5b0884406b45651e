import { activity } from "./en/activity";
import { app } from "./en/app";
import { errors } from "./en/errors";
import { folders } from "./en/folders";
import { kit } from "./en/kit";
import { machineAbouts, machineNames, machineStates } from "./en/machine-names";
import { machines } from "./en/machines";
import { overview } from "./en/overview";
import { parts } from "./en/parts";
import { recover } from "./en/recover";
import { restore } from "./en/restore";
import { safety } from "./en/safety";
import { settings } from "./en/settings";
import { setup } from "./en/setup";
import { space } from "./en/space";
import { suppliers } from "./en/suppliers";

/** English: the measure of all dictionaries. */
export const en = { app, parts, errors, safety, setup, kit, recover, overview, folders, restore, suppliers, space, activity, machines, machineNames, machineAbouts, machineStates, settings };
