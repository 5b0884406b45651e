/** Which rows of a long list are worth drawing, and where. */

export interface Viewport {
  count: number;
  rowHeight: number;
  scrollTop: number;
  height: number;
}

/** Rows beyond the edges, so that fast scrolling shows no gap. */
const BEYOND = 6;

/** Browsers draw nothing that is higher than some 33 million pixels. */
const HEIGHT_MAX = 16_000_000;

export function rowsInView(viewport: Viewport): { start: number; end: number } {
  const { count, rowHeight, height } = viewport;
  const top = listTop(viewport);
  const first = Math.floor(top / rowHeight);
  const last = Math.ceil((top + height) / rowHeight);
  const start = Math.max(0, Math.min(first, count) - BEYOND);
  return { start, end: Math.min(count, Math.max(last, first) + BEYOND) };
}

/** Pixels that stand for the whole list. */
export function frameHeight(count: number, rowHeight: number): number {
  return Math.min(count * rowHeight, HEIGHT_MAX);
}

/** How far down the list the frame is; in a list that is too high a pixel stands for more than one. */
export function listTop({ count, rowHeight, scrollTop, height }: Viewport): number {
  return scrollTop * scale(count * rowHeight, height);
}

/** Where the frame has to be for that. */
export function scrollFor(top: number, { count, rowHeight, height }: Omit<Viewport, "scrollTop">): number {
  return top / scale(count * rowHeight, height);
}

function scale(whole: number, height: number): number {
  return whole <= HEIGHT_MAX ? 1 : (whole - height) / (HEIGHT_MAX - height);
}
