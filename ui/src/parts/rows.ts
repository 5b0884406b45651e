/** Which rows of a long list are worth drawing. */

export interface Viewport {
  count: number;
  rowHeight: number;
  scrollTop: number;
  height: number;
}

/** Rows beyond the edges, so that fast scrolling shows no gap. */
const BEYOND = 6;

export function rowsInView({ count, rowHeight, scrollTop, height }: Viewport): { start: number; end: number } {
  const first = Math.floor(scrollTop / rowHeight);
  const last = Math.ceil((scrollTop + height) / rowHeight);
  const start = Math.max(0, Math.min(first, count) - BEYOND);
  return { start, end: Math.min(count, Math.max(last, first) + BEYOND) };
}
