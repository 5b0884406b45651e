/** Live advice on a passphrase by its length; the node alone decides what it takes. */

export type PassphraseGrade = "none" | "short" | "fair" | "good";

export function passphraseGrade(passphrase: string): PassphraseGrade {
  const different = new Set(passphrase).size;
  if (passphrase === "") return "none";
  if (passphrase.length < 12 || different < 6) return "short";
  return passphrase.length < 20 || different < 9 ? "fair" : "good";
}
