/** Which view is shown: `#/folders/ID`. */

export const VIEWS = ["overview", "folders", "restore", "suppliers", "space", "activity", "machines", "settings"] as const;
export type ViewName = (typeof VIEWS)[number];

export interface Route {
  view: ViewName;
  /** What follows the view's name, decoded. */
  rest: string[];
}

let route = $state.raw<Route>(parse(globalThis.location?.hash ?? ""));

export const router = {
  get route(): Route {
    return route;
  },
};

export function parse(hash: string): Route {
  const [name, ...rest] = hash.replace(/^#?\/?/, "").split("/").filter(Boolean).map(decoded);
  const view = VIEWS.find((candidate) => candidate === name) ?? "overview";
  return { view, rest: view === name ? rest : [] };
}

export function href(view: ViewName, ...rest: string[]): string {
  return `#/${[view, ...rest.map(encodeURIComponent)].join("/")}`;
}

export function go(view: ViewName, ...rest: string[]): void {
  location.hash = href(view, ...rest);
}

export function startRouter(): () => void {
  const follow = (): void => void (route = parse(location.hash));
  addEventListener("hashchange", follow);
  follow();
  return () => removeEventListener("hashchange", follow);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
