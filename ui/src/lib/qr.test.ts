import { encode } from "uqr";
import { expect, it } from "vitest";

import { qrCode } from "./qr";

it("draws every dark module once, inside a quiet border", () => {
  const code = qrCode("BITDUST-ABC234");
  const bars = [...(code?.path ?? "").matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)].map((bar) => bar.slice(1).map(Number));
  const dark = bars.reduce((sum, [, , length]) => sum + (length ?? 0), 0);
  const { data } = encode("BITDUST-ABC234", { border: 4, boostEcc: true });
  expect(dark).toBe(data.flat().filter(Boolean).length);
  for (const [x = 0, y = 0, length = 0] of bars) {
    expect(x).toBeGreaterThanOrEqual(4);
    expect(y).toBeGreaterThanOrEqual(4);
    expect(x + length).toBeLessThanOrEqual((code?.size ?? 0) - 4);
  }
});

it("has no code for what no code can hold", () => {
  expect(qrCode("x".repeat(5000))).toBeNull();
});
