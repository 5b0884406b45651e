/**
 * The kit: one page to print and put into a drawer. Made here, of nothing but what it shows, as a
 * document that needs no network, no script and no picture from elsewhere.
 */
import { text } from "../text/text";
import { date } from "./format";
import { qrCode } from "./qr";

export interface Kit {
  nickname: string;
  fingerprint: string;
  words: readonly string[];
  madeAt: number;
  /** Addresses that may lead back into the network. */
  waysIn: readonly string[];
}

/** A file that can be opened anywhere. */
export function kitDocument(kit: Kit): string {
  return `<!doctype html>
<html lang="${text("kit.language")}">
<head><meta charset="utf-8"><title>${escaped(text("kit.title"))}</title><style>${KIT_STYLES}</style></head>
<body>${kitBody(kit)}</body>
</html>
`;
}

export function kitFileName(kit: Kit): string {
  const name = kit.nickname.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
  return `BitDust-${name || "kit"}.html`;
}

export function kitBody(kit: Kit): string {
  const words = kit.words.map((word, index) => `<li><b>${index + 1}</b>${escaped(word)}</li>`).join("");
  const steps = [text("kit.step_1"), text("kit.step_2"), text("kit.step_3"), text("kit.step_4")].map((step) => `<li>${escaped(step)}</li>`).join("");
  return `<article class="kit">
<header>${MARK}<div><h1>${escaped(text("kit.title"))}</h1><p>${escaped(text("kit.subtitle"))}</p></div></header>
<section class="who"><dl>
<div><dt>${escaped(text("kit.name"))}</dt><dd>${escaped(kit.nickname)}</dd></div>
<div><dt>${escaped(text("kit.fingerprint"))}</dt><dd class="mono">${escaped(kit.fingerprint)}</dd></div>
<div><dt>${escaped(text("kit.made"))}</dt><dd>${escaped(date(kit.madeAt))}</dd></div>
</dl></section>
<section><h2>${escaped(text("kit.words"))}</h2><ol class="words">${words}</ol><p class="soft">${escaped(text("kit.words_hint"))}</p></section>
<section><h2>${escaped(text("kit.steps"))}</h2><ol class="steps">${steps}</ol></section>
<section class="columns"><div><h2>${escaped(text("kit.ways"))}</h2><p class="soft">${escaped(text("kit.ways_hint"))}</p>${ways(kit.waysIn)}</div>
<figure>${qr(kit.words)}<figcaption>${escaped(text("kit.qr"))}</figcaption></figure></section>
<footer><b>${escaped(text("kit.secret"))}</b> ${escaped(text("kit.secret_hint"))}</footer>
</article>`;
}

function ways(known: readonly string[]): string {
  const lines = [...known.slice(0, 3).map((way) => `<li class="mono">${escaped(way)}</li>`), "<li></li>", "<li></li>"];
  return `<ul class="ways">${lines.slice(0, 4).join("")}</ul>`;
}

function qr(words: readonly string[]): string {
  const code = qrCode(words.join(" "));
  if (code === null) return "";
  return `<svg viewBox="0 0 ${code.size} ${code.size}" shape-rendering="crispEdges" role="img" aria-label="${escaped(text("kit.qr"))}"><path d="${code.path}"/></svg>`;
}

function escaped(words: string): string {
  return words.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

const MARK = `<svg class="mark" viewBox="0 0 64 64" aria-hidden="true"><rect x="8" y="12" width="21" height="21" rx="5.5"/><rect x="8" y="36" width="21" height="21" rx="5.5"/><rect x="32" y="36" width="21" height="21" rx="5.5"/><rect x="39.5" y="11.5" width="14" height="14" rx="4" fill="none" stroke="black" stroke-width="2.5" transform="rotate(16 46.5 18.5)"/></svg>`;

/** Black on white, in the sizes of paper; fits A4 and Letter. */
export const KIT_STYLES = `
@page { size: auto; margin: 14mm; }
.kit { box-sizing: border-box; max-width: 182mm; margin: 0 auto; color: black; background: white; font: 10.5pt/1.45 system-ui, -apple-system, "Segoe UI", sans-serif; }
.kit * { box-sizing: border-box; margin: 0; padding: 0; }
.kit h1 { font-size: 20pt; line-height: 1.2; letter-spacing: -0.01em; }
.kit h2 { margin-bottom: 2mm; font-size: 11.5pt; line-height: 1.25; }
.kit header p, .kit .soft { text-wrap: balance; }
.kit header { display: flex; align-items: center; gap: 5mm; padding-bottom: 5mm; border-bottom: 0.4mm solid black; }
.kit .mark { width: 15mm; height: 15mm; flex: none; }
.kit section { margin-top: 6mm; }
.kit dl { display: flex; justify-content: space-between; gap: 8mm; }
.kit dt, .kit .soft, .kit figcaption { color: dimgray; font-size: 9pt; }
.kit dd { font-size: 12pt; font-weight: 600; overflow-wrap: anywhere; }
.kit .mono { font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
.kit .words { display: grid; grid-template-columns: repeat(4, 1fr); grid-template-rows: repeat(6, auto); grid-auto-flow: column; border: 0.3mm solid gray; border-radius: 2mm; list-style: none; overflow: hidden; }
.kit .words li { display: flex; align-items: baseline; gap: 2.5mm; padding: 1.9mm 3mm; font: 600 12pt/1.3 ui-monospace, "DejaVu Sans Mono", monospace; border-left: 0.2mm solid silver; margin-left: -0.2mm; border-bottom: 0.2mm solid silver; margin-bottom: -0.2mm; }
.kit .words b { width: 6mm; flex: none; color: dimgray; font: 400 8.5pt/1 system-ui, sans-serif; text-align: right; }
.kit .words + .soft { margin-top: 2mm; }
.kit .columns { display: grid; grid-template-columns: 1fr 46mm; gap: 10mm; }
.kit .steps { margin-left: 5mm; list-style: decimal; }
.kit .steps li { padding-left: 1mm; margin-bottom: 1.2mm; }
.kit .ways { list-style: none; }
.kit .ways li { min-height: 8mm; padding-top: 2.5mm; border-bottom: 0.2mm solid gray; font-size: 8.5pt; overflow-wrap: anywhere; }
.kit figure svg { display: block; width: 46mm; height: 46mm; }
.kit figcaption { margin-top: 5mm; text-align: center; }
.kit footer { margin-top: 7mm; padding: 3mm 4mm; border: 0.4mm solid black; border-radius: 2mm; }
@media screen { body > .kit { padding: 12mm; } }
`;
