/** Schedules as a choice of words. */
import type { Schedule } from "../backend/bindings";
import { text } from "../text/text";
import { never } from "./never";

const HOUR = 60;
const DAY = 24 * HOUR;

/** A value for each schedule that can be chosen; others keep their minutes. */
export function scheduleKey(schedule: Schedule): string {
  return schedule.kind === "every" ? `${schedule.minutes}` : schedule.kind;
}

export function scheduleOf(key: string): Schedule {
  if (key === "on_change" || key === "manual") return { kind: key };
  return { kind: "every", minutes: Number(key) };
}

export function scheduleWords(schedule: Schedule): string {
  switch (schedule.kind) {
    case "on_change":
      return text("folders.on_change");
    case "manual":
      return text("folders.manual");
    case "every":
      if (schedule.minutes === HOUR) return text("folders.hourly");
      if (schedule.minutes === DAY) return text("folders.daily");
      return text("folders.every", { count: schedule.minutes });
    default:
      return never(schedule);
  }
}

/** What can be chosen, with the one that is set where it is another. */
export function scheduleOptions(now: Schedule): { value: string; label: string }[] {
  const usual: Schedule[] = [{ kind: "on_change" }, { kind: "every", minutes: HOUR }, { kind: "every", minutes: DAY }, { kind: "manual" }];
  const all = usual.some((schedule) => scheduleKey(schedule) === scheduleKey(now)) ? usual : [...usual, now];
  return all.map((schedule) => ({ value: scheduleKey(schedule), label: scheduleWords(schedule) }));
}
