/** Where one folder of several stands, in words. */
import type { JobView } from "../backend/bindings";
import type { IconName } from "../parts/icons";
import { toneIcons, type Tone } from "../parts/tone";
import type { Stage } from "../state/restores.svelte";
import { text, textOf } from "../text/text";
import { jobWords } from "./job-words";
import { never } from "./never";
import { restoreWords } from "./restore-words";

export interface StageWords {
  tone: Tone;
  icon: IconName;
  words: string;
}

export function stageWords(stage: Stage, job: JobView | null, expected: number | null): StageWords {
  switch (stage.kind) {
    case "waiting":
      return { tone: "plain", icon: "clock", words: text("restore.stage_waiting") };
    case "asked":
      return { tone: "busy", icon: "restore", words: text("restore.stage_begins") };
    case "running":
      return { tone: "busy", icon: "restore", words: job === null ? text("restore.stage_begins") : [jobWords(job, null).phase, ...jobWords(job, null).figures].join(" · ") };
    case "dropped":
      return { tone: "plain", icon: "stop", words: text("restore.stage_dropped") };
    case "refused":
      return { tone: "bad", icon: toneIcons.bad, words: `${textOf(`errors.${stage.error.code}`)}. ${textOf(`errors.${stage.error.code}_hint`)}` };
    case "ended": {
      const { tone, title, counts } = restoreWords(stage.report, expected);
      const why = stage.report.outcome === "failed" && stage.report.error !== null ? [`${textOf(`errors.${stage.report.error}`)}.`] : [];
      return { tone, icon: stage.report.outcome === "cancelled" ? "stop" : toneIcons[tone], words: [counts.length > 0 ? ended(title) : title, ...counts, ...why].join(" ") };
    }
    default:
      return never(stage);
  }
}

function ended(title: string): string {
  return title.endsWith(".") ? title : `${title}.`;
}
