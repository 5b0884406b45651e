/** The steps of the slider for space offered to others: 1, 2, 5, 10 and so on, within what is there. */
const STEP_BYTES_MIN = 1e9;
/** Where the system does not tell how much is free. */
const BYTES_MAX_UNKNOWN = 10e12;

export interface OfferScale {
  /** Ascending, without repeats; the first is the least, the last the most that can be offered. */
  steps: number[];
  /** False where the system does not tell how much is free; then the last step is no real limit. */
  isLimitKnown: boolean;
}

/** What others use already is on the disk: the offer may be that and all that is free. */
export function offerScale(usedBytes: number, freeBytes: number | null): OfferScale {
  const most = freeBytes === null ? BYTES_MAX_UNKNOWN : usedBytes + freeBytes;
  const steps = [usedBytes];
  const least = Math.min(STEP_BYTES_MIN, magnitude(most));
  for (let power = least; power <= most; power *= 10) {
    for (const factor of [1, 2, 5]) {
      const step = power * factor;
      if (step > usedBytes && step < most) steps.push(step);
    }
  }
  if (most > usedBytes) steps.push(most);
  return { steps, isLimitKnown: freeBytes !== null };
}

/** The place on the slider that is nearest to an offer, by ratio. */
export function stepOf(scale: OfferScale, bytes: number): number {
  const distances = scale.steps.map((step) => Math.abs(Math.log1p(step) - Math.log1p(bytes)));
  return distances.indexOf(Math.min(...distances));
}

/** What is wrong with an offer before the node is asked. */
export type OfferFault = "below_used" | "above_free" | null;

export function offerFault(bytes: number, usedBytes: number, freeBytes: number | null): OfferFault {
  if (bytes < usedBytes) return "below_used";
  return freeBytes !== null && bytes > usedBytes + freeBytes ? "above_free" : null;
}

export type OfferUnit = "MB" | "GB" | "TB";
export const OFFER_UNITS: Record<OfferUnit, number> = { MB: 1e6, GB: 1e9, TB: 1e12 };

/** A number of bytes as a field shows it: at most three digits behind the point. */
export function toUnit(bytes: number): { amount: number; unit: OfferUnit } {
  const unit: OfferUnit = bytes >= 1e12 ? "TB" : bytes >= 1e9 || bytes === 0 ? "GB" : "MB";
  return { amount: Math.floor((bytes / OFFER_UNITS[unit]) * 1000) / 1000, unit };
}

function magnitude(bytes: number): number {
  return bytes < 1 ? 1 : 10 ** Math.max(0, Math.floor(Math.log10(bytes)) - 1);
}
