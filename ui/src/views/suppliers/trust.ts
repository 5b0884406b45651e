/** Trust as tone and words; what it is was decided in `lib/people`. */
import type { Trust } from "../../lib/people";
import type { Tone } from "../../parts/tone";
import { text, textOf } from "../../text/text";

export interface TrustWords {
  tone: Tone;
  label: string;
  more: string;
}

const TONES: Record<Trust["kind"], Tone> = {
  confirmed: "good",
  owed: "warn",
  full: "warn",
  unproven: "warn",
  empty: "plain",
  suspect: "bad",
  source: "plain",
  signing: "busy",
  refused: "warn",
  dropped: "plain",
  reaching: "busy",
  unknown: "plain",
};

export function trustWords(trust: Trust): TrustWords {
  return { tone: TONES[trust.kind], label: textOf(`suppliers.trust_${trust.kind}`), more: more(trust) };
}

function more(trust: Trust): string {
  if (trust.kind === "full") return text(trust.confirmed ? "suppliers.trust_full_more" : "suppliers.trust_full_unproven");
  return textOf(`suppliers.trust_${trust.kind}_more`);
}
