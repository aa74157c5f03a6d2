/** Return the delay before the next connection attempt, ms: exponential up to `limit`, with jitter so that pages do not reconnect in step. */
export function backoff(attempt: number, random: () => number = Math.random, base = 250, limit = 2_000): number {
  const full = Math.min(limit, base * 2 ** Math.min(attempt, 16));
  return full / 2 + (full / 2) * random();
}
