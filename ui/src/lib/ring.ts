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

const WIDTH = 480;
const HEIGHT = 360;
const CENTER: Place = { x: WIDTH / 2, y: HEIGHT / 2 };
const OUTER = { x: 196, y: 136 };
const INNER = { x: 122, y: 84 };
const ONE_RING_MAX = 14;
const NAMED_MAX = 10;

export function ring(count: number): Ring {
  const inner = count > ONE_RING_MAX ? Math.floor(count * 0.38) : 0;
  const outer = count - inner;
  const places = [...ellipse(outer, OUTER, 0), ...ellipse(inner, INNER, 0.5)];
  return { width: WIDTH, height: HEIGHT, center: CENTER, places, scale: scaleOf(count), isNamed: count <= NAMED_MAX };
}

/** Evenly by the length of the way round, so that the flat sides are not crowded. */
function ellipse(count: number, radius: Place, shift: number): Place[] {
  const start = count === 2 ? Math.PI : -Math.PI / 2;
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
  return { x: CENTER.x + radius.x * Math.cos(angle), y: CENTER.y + radius.y * Math.sin(angle) };
}

function scaleOf(count: number): number {
  if (count <= 8) return 1;
  return count <= ONE_RING_MAX ? 0.84 : 0.66;
}
