/**
 * What a scene is: where the host stands, what the node last said, and answers of its own where
 * the common ones do not do. A script tells more as time goes by.
 */
import type { Calls, HostCalls } from "../backend";
import type { ApiError, ErrorCode, Event, HostView, StatusView } from "../bindings";

/** The mock while a scene is played. */
export interface World {
  readonly host: HostView;
  /** Throws while no node runs. */
  readonly status: StatusView;
  setHost(change: Partial<HostView>): void;
  setStatus(change: Partial<StatusView>): void;
  tell(event: Event): void;
  /** An error to throw from an answer. */
  fail(code: ErrorCode, message: string): ApiError;
}

type Now<T> = T | Promise<T>;
export type CallHandler<K extends keyof Calls> = (request: Calls[K][0], world: World) => Now<Calls[K][1]>;
export type HostHandler<K extends keyof HostCalls> = (request: HostCalls[K][0], world: World) => Now<HostCalls[K][1]>;

export interface Scene {
  host: HostView;
  /** Null while no node runs. */
  status: StatusView | null;
  answers?: { [K in keyof Calls]?: CallHandler<K> };
  hostAnswers?: { [K in keyof HostCalls]?: HostHandler<K> };
  script?: (world: World) => Promise<void>;
}

/** A file of scenes gives these by name; made when it is played, so that times are fresh. */
export type Scenes = Record<string, () => Scene>;
