/** What a stretch of time is called. */
import { text } from "../text/text";
import { dayAndMonth, monthAndYear, weekday } from "./format";
import { never } from "./never";
import type { Stretch } from "./versions";

export function stretchWords(stretch: Stretch): string {
  switch (stretch.kind) {
    case "today":
    case "yesterday":
      return text(`restore.${stretch.kind}`);
    case "day":
      return weekday(stretch.from);
    case "week":
      return dayAndMonth(stretch.from, stretch.to);
    case "month":
      return monthAndYear(stretch.from);
    default:
      return never(stretch);
  }
}
