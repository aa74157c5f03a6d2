/**
 * Return the delay before the next connection attempt, ms: exponential up to `limit`.
 *
 * The limit is low, because values must be current within 1 s of the gateway's return; a refused attempt costs almost nothing.
 * Half of the delay is random, so that the pages of all tablets do not reconnect in step after a restart of the gateway.
 *
 * @param attempt Number of failed attempts so far, from 0.
 * @param random Random number 0..1; replaced in tests.
 */
export function backoff(attempt: number, random: () => number = Math.random, base = 250, limit = 500): number {
  const full = Math.min(limit, base * 2 ** Math.min(attempt, 16));
  return full / 2 + (full / 2) * random();
}
