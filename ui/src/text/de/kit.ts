import type { kit as English } from "../en/kit";
import type { Translated } from "../words";

export const kit: Translated<typeof English> = {
  language: "de",
  title: "BitDust-Wiederherstellungsblatt",
  subtitle: "Mit diesen Wörtern und einem Zugang kommt alles auf einem neuen Computer zurück.",
  name: "Name",
  fingerprint: "Fingerabdruck",
  made: "Erstellt am",
  words: "Die 24 Wörter",
  words_hint: "Spaltenweise von oben nach unten lesen. Die Reihenfolge zählt; das letzte Wort prüft zugleich die anderen.",
  steps: "So kommt alles zurück",
  step_1: "BitDust auf einem Computer installieren und öffnen.",
  step_2: "„Aus 24 Wörtern wiederherstellen“ wählen und die Wörter oben eingeben.",
  step_3: "Einen Zugang angeben: Adresse oder Einladung von jemandem mit BitDust.",
  step_4: "Zuerst erscheinen die Namen der Dateien. Dann auswählen, was zurückkommen soll.",
  ways: "Zugänge",
  ways_hint: "Jemanden, der Daten aufbewahrt, nach einer Adresse fragen und sie hier notieren.",
  qr: "Die Wörter für eine Kamera",
  secret: "Dieses Blatt geheim und sicher aufbewahren.",
  secret_hint: "Wer diese Wörter hat, kann alles Gesicherte lesen. Niemand kann sie ersetzen: keine Firma, keine Freunde.",
};
