import type { Stamp } from '../generated/messages';

const REMEMBERED = 30;

export const milliseconds = (stamp: Stamp): number => stamp.sec * 1000 + stamp.nanosec / 1e6;

export const stampOf = (ms: number): Stamp => {
  const sec = Math.floor(ms / 1000);
  return { sec, nanosec: Math.floor((ms - sec * 1000) * 1e6) };
};

/**
 * The cell's clock as seen from here, estimated from the stamps of its status.
 *
 * A tablet's own clock may be wrong by hours, and the cell refuses commands by their age. Of the last samples the one that
 * travelled quickest is the best; the estimate is late by that travel time, so that a command seems older, never younger.
 */
export class ServerClock {
  #offsets: number[] = [];

  /** Take a stamp and the local monotonic time (ms) at which it came. */
  observe(stamp: Stamp, localMs: number): void {
    this.#offsets.push(milliseconds(stamp) - localMs);
    if (this.#offsets.length > REMEMBERED) this.#offsets.shift();
  }

  /** The cell's time in ms, or null before the first stamp. */
  now(localMs: number): number | null {
    return this.#offsets.length === 0 ? null : Math.max(...this.#offsets) + localMs;
  }

  /** Forget: the next connection may lead to another machine. */
  reset(): void {
    this.#offsets = [];
  }
}
