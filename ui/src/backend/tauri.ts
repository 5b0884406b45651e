/** The backend through Tauri: two commands and one event to the node, a few commands of the shell. */
import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import { getCurrentWebview } from "@tauri-apps/api/webview";

import { escapedPath } from "../lib/paths";
import type { Backend, FolderDrop, Platform, Shell } from "./backend";
import type { HostEvent } from "./bindings";

interface Answered<V> {
  answer: string;
  value?: V;
}

const shell: Shell = {
  ready: () => invoke<string | null>("ready"),
  nameTray: (words) => invoke<void>("name_tray", { words }),
  notify: (message) => invoke<void>("notify", { message }),
  pickFolder: (title) => invoke<string | null>("pick_folder", { title }),
  openFolder: (path) => invoke<void>("open_folder", { path }),
  saveKit: (name, html) => invoke<string | null>("save_kit", { name, html }),
  print: () => window.print(),
  copy: (text) => invoke<void>("copy", { text }),
  autostart: () => invoke<boolean>("autostart"),
  setAutostart: (on) => invoke<void>("set_autostart", { on }),
  onDrop: (handler) =>
    later(
      getCurrentWebview().onDragDropEvent(({ payload }) => {
        const drop: FolderDrop = payload.type === "drop" ? { kind: "drop", paths: payload.paths.map(escapedPath) } : { kind: payload.type };
        handler(drop);
      }),
    ),
  onInvitation: (handler) => later(listen<string>("bitdust-invitation", ({ payload }) => handler(payload))),
  platform: platform(navigator.userAgent),
};

export function tauriBackend(): Backend {
  return {
    async call(name, request) {
      const answered = await invoke<Answered<never>>("call", { request: { call: name, ...request } });
      return answered.value as never;
    },
    async host(name, request) {
      const answered = await invoke<Answered<never>>("host", { request: { call: name, ...request } });
      return answered.value as never;
    },
    shell,
    subscribe: (onEvent) => later(listen<HostEvent>("bitdust", ({ payload }) => onEvent(payload))),
  };
}

/** Ends a subscription that may not have begun yet. */
function later(begun: Promise<() => void>): () => void {
  return () => void begun.then((end) => end());
}

function platform(agent: string): Platform {
  if (agent.includes("Windows")) return "windows";
  return agent.includes("Mac") ? "macos" : "linux";
}
