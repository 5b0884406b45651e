import type { parts as English } from "../en/parts";
import type { Translated } from "../words";

export const parts: Translated<typeof English> = {
  close: "Schließen",
  cancel: "Abbrechen",
  back: "Zurück",
  next: "Weiter",
  done: "Fertig",
  dismiss: "Ausblenden",
  retry: "Erneut versuchen",
  details: "Einzelheiten",
  copy: "Kopieren",
  copied: "Kopiert",
  more: "Mehr",
  show: "Anzeigen",
  hide: "Verbergen",
  messages: "Meldungen",
  failed: "Das hat nicht geklappt",
};
