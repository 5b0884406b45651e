/** Where people sit around the computer in the picture of the set. */
export interface Place {
  x: number;
  y: number;
}

export interface Ring {
  width: number;
  height: number;
  center: Place;
  places: Place[];
  /** How large a person is drawn, 1 as designed. */
  scale: number;
  /** Whether there is room for names. */
  isNamed: boolean;
}

const WIDTH = 400;
const HEIGHT = 320;
/** One or two sit beside the computer. */
const HEIGHT_FLAT = 160;
const FLAT_MAX = 2;
const OUTER = { x: 164, y: 120 };
const INNER = { x: 102, y: 74 };
const ONE_RING_MAX = 14;
const NAMED_MAX = 9;

export function ring(count: number): Ring {
  const inner = count > ONE_RING_MAX ? Math.floor(count * 0.38) : 0;
  const outer = count - inner;
  const height = count <= FLAT_MAX ? HEIGHT_FLAT : HEIGHT;
  const center = { x: WIDTH / 2, y: height / 2 };
  const around = [...ellipse(outer, OUTER, 0), ...ellipse(inner, INNER, 0.5)];
  const places = around.map(({ x, y }) => ({ x: center.x + x, y: center.y + y }));
  return { width: WIDTH, height, center, places, scale: scaleOf(count), isNamed: count <= NAMED_MAX };
}

/** Evenly by the length of the way round, so that the flat sides are not crowded. */
function ellipse(count: number, radius: Place, shift: number): Place[] {
  const start = count === 1 ? 0 : count === 2 ? Math.PI : -Math.PI / 2;
  const way = lengths(radius, start);
  const whole = way.at(-1) ?? 0;
  return Array.from({ length: count }, (_, index) => {
    const wanted = ((index + shift) / count) * whole;
    const step = way.findIndex((length) => length >= wanted);
    return on(radius, start + (step / STEPS) * 2 * Math.PI);
  });
}

const STEPS = 720;

function lengths(radius: Place, start: number): number[] {
  const way = [0];
  let before = on(radius, start);
  for (let step = 1; step <= STEPS; step += 1) {
    const here = on(radius, start + (step / STEPS) * 2 * Math.PI);
    way.push((way[step - 1] ?? 0) + Math.hypot(here.x - before.x, here.y - before.y));
    before = here;
  }
  return way;
}

function on(radius: Place, angle: number): Place {
  return { x: radius.x * Math.cos(angle), y: radius.y * Math.sin(angle) };
}

function scaleOf(count: number): number {
  if (count <= 8) return 1;
  return count <= ONE_RING_MAX ? 0.84 : 0.66;
}
