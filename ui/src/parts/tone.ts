import type { IconName } from "./icons";

/** What a thing says beside its words; each tone comes with an icon, never with colour alone. */
export type Tone = "good" | "busy" | "warn" | "bad" | "plain";

export const toneIcons: Record<Tone, IconName> = { good: "check-circle", busy: "refresh", warn: "alert", bad: "close-circle", plain: "info" };
