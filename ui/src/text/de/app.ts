import type { app as English } from "../en/app";
import type { Translated } from "../words";

export const app: Translated<typeof English> = {
  overview: "Übersicht",
  folders: "Ordner",
  restore: "Wiederherstellen",
  suppliers: "Aufbewahrer",
  space: "Geteilter Platz",
  activity: "Verlauf",
  machines: "Automaten",
  settings: "Einstellungen",
  navigation: "Hauptnavigation",
  skip: "Zum Inhalt springen",
  practice_title: "Übung auf diesem Computer",
  practice_body: "Die Aufbewahrer sind Programme auf diesem Computer. Nichts ist hier sicher: Geht dieser Computer verloren, ist alles verloren.",
  practice_leave: "Übung beenden",
  loading: "Wird geladen…",
  drop_title: "Loslassen, um den Ordner zu sichern",
  drop_hint: "Bevor etwas beginnt, ist zu sehen, was gesichert wird.",
  tray_open: "BitDust öffnen",
  tray_back_up: "Jetzt sichern",
  tray_quit: "Beenden",
  tray_hiding: "Ihre Ordner werden weiter gesichert, während das Fenster geschlossen ist. Starten Sie BitDust erneut, um es zu sehen; Beenden steht im Menü seines Symbols.",
};
