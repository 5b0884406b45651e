/** All scenes by name. A file of scenes is added with one line here. */
import type { Backend } from "../backend";
import { mockBackend, type MockControl } from "../mock";
import { activityScenes } from "./activity";
import { folderScenes } from "./folders";
import { hostScenes } from "./host";
import { machineScenes } from "./machines";
import { overviewScenes } from "./overview";
import { restoreScenes } from "./restore";
import type { Scenes } from "./scene";
import { settingsScenes } from "./settings";
import { spaceScenes } from "./space";
import { supplierScenes } from "./suppliers";

export const scenes: Scenes = { ...hostScenes, ...overviewScenes, ...folderScenes, ...restoreScenes, ...supplierScenes, ...spaceScenes, ...activityScenes, ...machineScenes, ...settingsScenes };

/** The mock that plays a scene; also as `window.mock` for specs. */
export function openMock(name: string): Backend {
  const make = scenes[name];
  if (make === undefined) throw new Error(`There is no scene ${name}: ${Object.keys(scenes).join(", ")}`);
  const backend = mockBackend(make());
  window.mock = backend.control;
  return backend;
}

declare global {
  interface Window {
    mock?: MockControl;
  }
}
