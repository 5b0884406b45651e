/** QR codes as one path of an SVG, made locally. */
import { encode } from "uqr";

export interface QrCode {
  /** Modules along an edge, with the quiet border. */
  size: number;
  /** All dark modules, one unit wide each. */
  path: string;
}

/** Modules that stay light around the code; readers want four. */
const BORDER = 4;

/** Null where the text is too long for any QR code. Upper case of letters and digits needs the least room. */
export function qrCode(text: string): QrCode | null {
  try {
    const { data, size } = encode(text, { border: BORDER, ecc: "L", boostEcc: true });
    return { size, path: data.map(rowPath).join("") };
  } catch {
    return null; // The package throws for this one reason.
  }
}

/** Runs of dark modules in a row as bars. */
function rowPath(row: boolean[], y: number): string {
  let path = "";
  for (let x = 0; x < row.length; x += 1) {
    if (row[x] !== true) continue;
    const start = x;
    while (row[x + 1] === true) x += 1;
    path += `M${start} ${y}h${x - start + 1}v1h-${x - start + 1}z`;
  }
  return path;
}
