/** The set in words: what can be had back now, and what each place has. */
import type { Tone } from "../parts/tone";
import { text } from "../text/text";
import { never } from "./never";
import type { SetPicture, SetPosition } from "./people";

export interface SetWords {
  tone: Tone;
  words: string;
}

/** Who can be reached, what comes back of it, and how many more may fail. */
export function setNowWords(picture: SetPicture): SetWords {
  const { now, enough, held, online } = picture;
  const people = picture.positions.length;
  switch (now.kind) {
    case "planned":
      return { tone: "plain", words: mayFailWords(now.mayFail) };
    case "unfinished":
      return { tone: "plain", words: text("suppliers.set_unfinished") };
    case "unknown":
      return { tone: "plain", words: text("suppliers.set_unknown") };
    case "lacking":
      return { tone: "bad", words: text("suppliers.set_lack", { held, enough }) };
    case "unreachable":
      return { tone: "warn", words: text("suppliers.set_reach_few", { count: online, people }) };
    case "restorable": {
      const tone = now.mayFail === 0 && people > 1 ? "warn" : "plain";
      if (online >= people) return { tone, words: `${text("suppliers.set_reach_all", { count: people })} ${mayFailWords(now.mayFail)}` };
      const more = now.mayFail === 0 ? text("suppliers.set_may_still_fail_none") : text("suppliers.set_may_still_fail", { count: now.mayFail });
      return { tone, words: `${text("suppliers.set_reach_some", { count: online, people })} ${more}` };
    }
    default:
      return never(now);
  }
}

function mayFailWords(count: number): string {
  return count === 0 ? text("suppliers.set_may_fail_none") : text("suppliers.set_may_fail", { count });
}

/** Who has a place, and what of it counts. */
export function positionWords({ supplier, piece, online }: SetPosition): string {
  if (supplier === null) return text("suppliers.position_free");
  const { name } = supplier;
  if (piece === "none") return text("suppliers.position_none", { name });
  if (piece === "unproven" && supplier.confirmed && supplier.is_owed) return text("suppliers.position_owed", { name });
  if (piece === "unproven") return text(supplier.is_suspect ? "suppliers.position_suspect" : "suppliers.position_unproven", { name });
  return text(online ? "suppliers.position_held_online" : "suppliers.position_held_away", { name });
}
