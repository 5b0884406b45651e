/**
 * The one way to the node, its host and the desktop shell. The compiler derives every call
 * from the generated bindings, so both implementations are complete or do not build.
 */
import type { Answer, AnswerNames, ApiError, Call, HostAnswer, HostAnswerNames, HostCall, HostEvent } from "./bindings";

type Asked<Union, Name> = Omit<Extract<Union, { call: Name }>, "call">;
type Value<Union, Name> = Extract<Union, { answer: Name }> extends { value: infer V } ? V : void;

/** Calls to the node: what is asked and what it answers. */
export type Calls = { [K in Call["call"]]: [Asked<Call, K>, Value<Answer, AnswerNames[K]>] };
/** Calls to the host. */
export type HostCalls = { [K in HostCall["call"]]: [Asked<HostCall, K>, Value<HostAnswer, HostAnswerNames[K]>] };

export interface Backend {
  call<K extends keyof Calls>(name: K, request: Calls[K][0]): Promise<Calls[K][1]>;
  host<K extends keyof HostCalls>(name: K, request: HostCalls[K][0]): Promise<HostCalls[K][1]>;
  shell: Shell;
  subscribe(onEvent: (event: HostEvent) => void): () => void;
}

/** What the desktop shell alone can do. */
export interface Shell {
  /** Shows the window, once its page has drawn how things stand. Gives an invitation that waits. */
  ready(): Promise<string | null>;
  /** Words for the place beside the clock. */
  nameTray(words: TrayWords): Promise<void>;
  /** Tells a person who is not looking at the window. */
  notify(message: string): Promise<void>;
  /** The system's dialog; null when nothing was chosen. */
  pickFolder(title: string): Promise<string | null>;
  /** Shows a folder in the file manager. */
  openFolder(path: string): Promise<void>;
  /** The system's save dialog; the file is for its owner alone. Gives its path or null. */
  saveKit(name: string, html: string): Promise<string | null>;
  /** Prints what the window shows to a printer. */
  print(): void;
  copy(text: string): Promise<void>;
  autostart(): Promise<boolean>;
  setAutostart(on: boolean): Promise<void>;
  onDrop(handler: (drop: FolderDrop) => void): () => void;
  /** A `bitdust://invite/…` link that was opened. */
  onInvitation(handler: (code: string) => void): () => void;
  platform: Platform;
}

/** What the place beside the clock says. */
export interface TrayWords {
  /** How things stand. */
  sentence: string;
  open: string;
  back_up: string;
  quit: string;
  /** Told when the window is closed for the first time. */
  hiding: string;
}

export type Platform = "linux" | "macos" | "windows";

export type FolderDrop = { kind: "enter" } | { kind: "over" } | { kind: "leave" } | { kind: "drop"; paths: string[] };

let current: Backend | null = null;

/** Sets the backend; once, before anything is shown. */
export function useBackend(backend: Backend): void {
  current = backend;
}

/** The backend. Only `state/` and the top component of a view go through it. */
export function backend(): Backend {
  if (current === null) throw new Error("useBackend comes first");
  return current;
}

/** Whatever was thrown, as the error that the dictionary knows. */
export function asApiError(error: unknown): ApiError {
  if (typeof error === "object" && error !== null && "code" in error && "message" in error) return error as ApiError;
  return { code: "internal", message: error instanceof Error ? error.message : String(error) };
}
