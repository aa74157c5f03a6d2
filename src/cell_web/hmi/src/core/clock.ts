import type { Stamp } from '../generated/messages';

/** 15 s of status messages: long enough to contain a fast one, short enough to follow a clock that is set. */
const MAX_SAMPLES = 30;

/** Convert a ROS stamp to milliseconds since 1970. */
export const milliseconds = (stamp: Stamp): number => stamp.sec * 1000 + stamp.nanosec / 1e6;

/** Convert milliseconds since 1970 to a ROS stamp. */
export const stampOf = (ms: number): Stamp => {
  const sec = Math.floor(ms / 1000);
  return { sec, nanosec: Math.floor((ms - sec * 1000) * 1e6) };
};

/** Difference of the two clocks above which the computer was asleep, ms; a clock that is set has the same effect. */
const SLEEP_MS = 2_000;

/**
 * Detects that the computer was asleep: its wall clock went on while the monotonic clock stood still (as on Linux).
 *
 * Ages by the monotonic clock are then too small, and a connection may be dead without an event.
 */
export class SleepDetector {
  #offset: number | null = null;

  /** Compare the two clocks, ms; return the time asleep since the last call, 0 when it was awake. */
  observe(wallMs: number, localMs: number): number {
    const offset = wallMs - localMs;
    const asleep = offset - (this.#offset ?? offset);
    this.#offset = offset;
    return asleep > SLEEP_MS ? asleep : 0;
  }
}

/**
 * Estimates the cell's clock from the stamps of its status messages.
 *
 * A tablet's clock may be hours off, and the cell rejects commands by their age. Of the last samples, the one with the
 * lowest latency is the best. The estimate lags by that latency: a command may look older, never younger.
 */
export class ServerClock {
  #offsets: number[] = [];

  /** Add a sample: a stamp and the local monotonic time of its arrival, ms. */
  observe(stamp: Stamp, localMs: number): void {
    this.#offsets.push(milliseconds(stamp) - localMs);
    if (this.#offsets.length > MAX_SAMPLES) this.#offsets.shift();
  }

  /** Return the cell's time in ms; null before the first sample. */
  now(localMs: number): number | null {
    // Latency makes an offset smaller, never larger: the largest one is the best.
    return this.#offsets.length === 0 ? null : Math.max(...this.#offsets) + localMs;
  }

  /** Discard all samples: the next connection may reach another machine. */
  reset(): void {
    this.#offsets = [];
  }
}
