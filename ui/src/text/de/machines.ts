import type { machines as English } from "../en/machines";
import type { Translated } from "../words";

export const machines: Translated<typeof English> = {
  title: "Automaten",
  lead: "Für Neugierige: BitDust entscheidet alles in kleinen Automaten. Das sind die Zeichnungen des Programms selbst; hervorgehoben ist, was gerade gilt.",
  choose: "Automat",
  live: { one: "{count} aktiv", other: "{count} aktiv" },
  none_live: "Davon wird gerade keiner als laufend gemeldet. Die Linien zeigen, was er kann.",
  diagram: "Zeichnung von {title}",
  diagram_description: { one: "{count} Zustand. Darunter folgt eine Liste aller Übergänge.", other: "{count} Zustände. Darunter folgt eine Liste aller Übergänge." },
  state_lit: { one: "{state}, gilt gerade: {count}", other: "{state}, gilt gerade: {count}" },
  running: "Läuft gerade",
  subjects_more: { one: "und {count} weiterer", other: "und {count} weitere" },
  not_drawn: "{state} (nicht in dieser Zeichnung)",
  own_words: "Zeichnung und Übergänge stehen in den eigenen, englischen Wörtern des Programms.",
  transitions: "Alle Übergänge",
  transitions_of: "Übergänge von „{state}“",
  show_all: "Alle zeigen",
  column_from: "Von",
  column_event: "Wenn",
  column_to: "Nach",
  column_actions: "Dann",
  no_action: "nichts",
};
