/**
 * Paths as text. Bytes that are no UTF-8 come as `%XX` and `%` as `%25`; people see names, the
 * node gets back what it sent.
 */
import { baseName } from "./format";

export function shownPath(path: string): string {
  return path.replace(/(?:%[0-9A-F]{2})+/g, (escaped) => {
    const bytes = Uint8Array.from(escaped.match(/[0-9A-F]{2}/g) ?? [], (digits) => Number.parseInt(digits, 16));
    return new TextDecoder().decode(bytes);
  });
}

/** The name of a folder or file as people wrote it. */
export function shownName(path: string): string {
  return shownPath(baseName(path));
}

/** The other way, for a path that the window itself was given: what is dropped on it. */
export function escapedPath(path: string): string {
  return path.replaceAll("%", "%25");
}

/** A path below a folder without the folder's own; as it is where it lies elsewhere. */
export function inside(folder: string, path: string): string {
  const rest = path.startsWith(folder) ? path.slice(folder.length) : "";
  const isBelow = folder.endsWith("/") || /^[/\\]/.test(rest);
  return isBelow && rest !== "" ? rest.replace(/^[/\\]/, "") : path;
}

/** A path as a report gives it: the raw bytes of the system. */
export function pathOfBytes(bytes: readonly number[]): string {
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

/** What is in a folder of a version. */
export function below(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** The folder a path is in; the outermost is empty. */
export function parentOf(path: string): string {
  const cut = path.lastIndexOf("/");
  return cut < 0 ? "" : path.slice(0, cut);
}

/** `SNAPSHOT:PATH`; the slash keeps a path that begins with a digit apart from a time. */
export function targetOf(snapshot: string, path: string): string {
  return path === "" ? `${snapshot}:` : `${snapshot}:/${path}`;
}

/** The last name of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
