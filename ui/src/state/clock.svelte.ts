/** The time of the window, for "12 minutes ago"; moves on every quarter of a minute. */
let now = $state(Date.now());

export const clock = {
  get now(): number {
    return now;
  },
};

export function startClock(): () => void {
  now = Date.now();
  const timer = setInterval(() => (now = Date.now()), 15_000);
  return () => clearInterval(timer);
}
