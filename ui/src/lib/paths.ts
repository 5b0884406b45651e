/**
 * Paths as text. Bytes that are no UTF-8 come as `%XX` and `%` as `%25`; people see names, the
 * node gets back what it sent.
 */
export function shownPath(path: string): string {
  return path.replace(/(?:%[0-9A-F]{2})+/g, (escaped) => {
    const bytes = Uint8Array.from(escaped.match(/[0-9A-F]{2}/g) ?? [], (digits) => Number.parseInt(digits, 16));
    return new TextDecoder().decode(bytes);
  });
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
