/**
 * A node that plays a scene: for `npm run dev` and for the specs. It keeps a host and a status,
 * answers from the scene, and tells what a script or a spec says. Nothing of it is shipped.
 */
import { asApiError, type Backend, type Calls, type FolderDrop, type HostCalls, type Shell, type TrayWords } from "./backend";
import type { ApiError, ErrorCode, Event, HostEvent, HostView, StatusView } from "./bindings";
import type { CallHandler, HostHandler, Scene, World } from "./scenes/scene";
import { commonAnswers, commonHostAnswers } from "./scenes/common";
import { judged } from "./scenes/verdict";

/** What specs reach as `window.mock`. */
export interface MockControl {
  world: World;
  drop(drop: FolderDrop): void;
  invite(code: string): void;
  /** Calls made so far, oldest first. */
  calls: { name: string; request: unknown }[];
  copied: string[];
  opened: string[];
  saved: { name: string; html: string }[];
  prints: number;
  pick: string | null;
  /** An invitation whose link began the program. */
  waiting: string | null;
  tray: TrayWords | null;
  notified: string[];
  /** Lets a call fail from now on; null lets it answer again. */
  refuse(name: keyof Calls, code: ErrorCode | null): void;
}

export function mockBackend(scene: Scene): Backend & { control: MockControl } {
  const listeners = new Set<(event: HostEvent) => void>();
  const drops = new Set<(drop: FolderDrop) => void>();
  const invitations = new Set<(code: string) => void>();
  const tell = (event: HostEvent): void => listeners.forEach((listener) => listener(event));

  let host: HostView = scene.host;
  let status: StatusView | null = scene.status;
  const world: World = {
    get host() {
      return host;
    },
    get status() {
      if (status === null) throw apiError("not_yet", "The node does not run.");
      return status;
    },
    setHost(change) {
      host = { ...host, ...change };
      tell({ from: "host", view: host });
    },
    setStatus(change) {
      status = judged(status === null ? (change as StatusView) : { ...status, ...kept(status, change), ...change });
      tell({ from: "node", event: { event: "status", status } });
    },
    tell: (event: Event) => tell({ from: "node", event }),
    fail: apiError,
  };

  const refused = new Map<keyof Calls, ErrorCode>();
  const control: MockControl = {
    world,
    drop: (drop) => drops.forEach((handler) => handler(drop)),
    invite: (code) => invitations.forEach((handler) => handler(code)),
    calls: [],
    copied: [],
    opened: [],
    saved: [],
    prints: 0,
    pick: "/home/alice/Music",
    waiting: null,
    tray: null,
    notified: [],
    refuse: (name, code) => void (code === null ? refused.delete(name) : refused.set(name, code)),
  };

  async function call<K extends keyof Calls>(name: K, request: Calls[K][0]): Promise<Calls[K][1]> {
    control.calls.push({ name, request });
    const refusal = refused.get(name);
    if (refusal !== undefined) throw apiError(refusal, `The specs refuse ${name}.`);
    const handler = (scene.answers?.[name] ?? commonAnswers[name]) as CallHandler<K> | undefined;
    if (handler === undefined) throw apiError("not_yet", `The scene has no answer to ${name}.`);
    return handler(request, world);
  }

  async function hostCall<K extends keyof HostCalls>(name: K, request: HostCalls[K][0]): Promise<HostCalls[K][1]> {
    control.calls.push({ name, request });
    const handler = (scene.hostAnswers?.[name] ?? commonHostAnswers[name]) as HostHandler<K> | undefined;
    if (handler === undefined) throw apiError("not_yet", `The scene has no answer to ${name}.`);
    return handler(request, world);
  }

  let autostart = false;
  const shell: Shell = {
    ready: async () => {
      const waiting = control.waiting;
      control.waiting = null;
      return waiting;
    },
    nameTray: async (words) => void (control.tray = words),
    notify: async (message) => void control.notified.push(message),
    pickFolder: async () => control.pick,
    openFolder: async (path) => void control.opened.push(path),
    saveKit: async (name, html) => {
      control.saved.push({ name, html });
      return `/home/alice/${name}`;
    },
    print: () => void (control.prints += 1),
    copy: async (text) => void control.copied.push(text),
    autostart: async () => autostart,
    setAutostart: async (on) => void (autostart = on),
    onDrop: (handler) => joined(drops, handler),
    onInvitation: (handler) => joined(invitations, handler),
    platform: "linux",
  };

  scene.script?.(world).catch((error: unknown) => console.error("The scene's script failed", asApiError(error)));
  return { call, host: hostCall, shell, subscribe: (onEvent) => joined(listeners, onEvent), control };
}

/** What holds of everything holds of each folder that has a version. */
function kept({ folders }: StatusView, { protection }: Partial<StatusView>): Partial<StatusView> {
  if (protection === undefined) return {};
  return { folders: folders.map((folder) => (folder.protection.kind === "nothing" ? folder : { ...folder, protection })) };
}

function joined<T>(set: Set<T>, item: T): () => void {
  set.add(item);
  return () => set.delete(item);
}

function apiError(code: ErrorCode, message: string): ApiError {
  return { code, message };
}
