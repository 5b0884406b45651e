/** Settings as the node writes them, read for the page. */
import type { SettingView } from "../backend/bindings";

export interface Setting {
  value: string;
  from: "flag" | "home" | "default";
}

const FROM = ["flag", "home", "default"] as const;

export type Settings = ReadonlyMap<string, Setting>;

export function settingsOf(views: readonly SettingView[]): Settings {
  return new Map(views.map(({ key, value, from }) => [key, { value, from: FROM.find((known) => known === from) ?? "home" }]));
}

/** Addresses of a setting, one a line. */
export function addressLines(value: string): string {
  return value.split(/[,\s]+/).filter(Boolean).join("\n");
}

/** The lines as the node takes them. */
export function addressValue(lines: string): string {
  return lines.split(/[,\s]+/).filter(Boolean).join(",");
}

/** The first line that is no address; null where all are. */
export function badAddress(lines: string): string | null {
  return lines.split(/[,\s]+/).filter(Boolean).find((line) => !/^\/[a-z0-9]+\/\S+$/i.test(line)) ?? null;
}
