/** Numbers, bytes, times and lists as the language writes them. All through `Intl`. */
import { locale } from "../state/preferences.svelte";

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"] as const;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function number(value: number): string {
  return new Intl.NumberFormat(locale()).format(value);
}

/** A share of one; never rounded up to a whole that it is not. */
export function percent(share: number, digits = 0): string {
  const scale = 10 ** (digits + 2);
  const shown = share < 1 ? Math.floor(share * scale) / scale : 1;
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: digits }).format(shown);
}

/** `12.4 GB`; powers of a thousand, as disks are sold and systems count. */
export function bytes(count: number): string {
  const { value, unit } = scaled(count);
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: unit === "byte" ? "long" : "short", maximumFractionDigits: digits(value, unit) }).format(value);
}

export function bytesPerSecond(count: number): string {
  return `${bytes(count)}/s`;
}

/** `3.1 of 12.4 GB` without saying the unit twice where it is the same. */
export function bytesOf(part: number, whole: number): { part: string; whole: string } {
  const target = scaled(whole);
  const source = scaled(part);
  if (source.unit !== target.unit) return { part: bytes(part), whole: bytes(whole) };
  return { part: new Intl.NumberFormat(locale(), { maximumFractionDigits: digits(source.value, source.unit) }).format(source.value), whole: bytes(whole) };
}

export function date(at: number): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "long" }).format(at);
}

export function dateTime(at: number): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }).format(at);
}

export function time(at: number): string {
  return new Intl.DateTimeFormat(locale(), { timeStyle: "short" }).format(at);
}

/** `Tuesday, 10 March`. */
export function weekday(at: number): string {
  return new Intl.DateTimeFormat(locale(), { weekday: "long", day: "numeric", month: "long" }).format(at);
}

/** `2 – 8 March`. */
export function dayAndMonth(from: number, to: number): string {
  return new Intl.DateTimeFormat(locale(), { day: "numeric", month: "long" }).formatRange(from, to);
}

/** `March 2026`. */
export function monthAndYear(at: number): string {
  return new Intl.DateTimeFormat(locale(), { month: "long", year: "numeric" }).format(at);
}

/** `12 minutes ago`, `in 3 hours`, `yesterday`. */
export function relative(at: number, now: number): string {
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  const away = at - now;
  const size = Math.abs(away);
  if (size < 45_000) return format.format(0, "second");
  if (size < 45 * MINUTE) return format.format(rounded(away, MINUTE), "minute");
  if (size < 22 * HOUR) return format.format(rounded(away, HOUR), "hour");
  if (size < 26 * DAY) return format.format(rounded(away, DAY), "day");
  if (size < 320 * DAY) return format.format(rounded(away, 30.4 * DAY), "month");
  return format.format(rounded(away, 365 * DAY), "year");
}

/** `about`-grade: two units at most, never seconds beside hours. */
export function duration(seconds: number): string {
  if (seconds < 60) return unit(Math.max(1, Math.round(seconds)), "second");
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return unit(minutes, "minute");
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return joined(unit(hours, "hour"), minutes % 60, "minute");
  return joined(unit(Math.floor(hours / 24), "day"), hours % 24, "hour");
}

/** `a, b and c`. */
export function list(words: readonly string[]): string {
  return new Intl.ListFormat(locale(), { type: "conjunction" }).format(words);
}

/** The last part of a path of any system; the path itself where it has none. */
export function baseName(path: string): string {
  return path.split(/[/\\]/).filter(Boolean).at(-1) ?? path;
}

function scaled(count: number): { value: number; unit: (typeof UNITS)[number] } {
  let value = count;
  let step = 0;
  while (value >= 999.5 && step < UNITS.length - 1) {
    value /= 1000;
    step += 1;
  }
  return { value, unit: UNITS[step] ?? "byte" };
}

function digits(value: number, unit: string): number {
  return unit === "byte" || value >= 99.95 ? 0 : 1;
}

function rounded(away: number, unit: number): number {
  return Math.sign(away) * Math.max(1, Math.round(Math.abs(away) / unit));
}

function unit(value: number, name: "second" | "minute" | "hour" | "day"): string {
  return new Intl.NumberFormat(locale(), { style: "unit", unit: name, unitDisplay: name === "day" ? "long" : "short" }).format(value);
}

function joined(first: string, rest: number, name: "minute" | "hour"): string {
  return rest === 0 ? first : `${first} ${unit(rest, name)}`;
}
