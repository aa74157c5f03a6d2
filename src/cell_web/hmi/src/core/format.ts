import type { Stamp } from '../generated/messages';
import { milliseconds } from './clock';

/** Format an age in ms: "3 s", "12 min", "5 h", "2 d"; "no time" when it is unknown. */
export function age(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return 'no time';
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  return s < 86_400 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86_400)} d`;
}

/** Format the age of a stamp by the cell's clock, e.g. "3 s ago". */
export function since(stamp: Stamp, cellMs: number | null): string {
  return cellMs === null || milliseconds(stamp) === 0 ? age(null) : `${age(cellMs - milliseconds(stamp))} ago`;
}

/** Format seconds with two decimals; a dash when there is no value. */
export const seconds = (value: number | null): string => (value ? `${value.toFixed(2)} s` : '–');

/** Convert a constant's name to a label: WAITING_RELOAD -> WAITING RELOAD, STEP_READ -> READ with prefix "STEP_". */
export const constantLabel = (name: string | undefined, prefix = ''): string => (name ?? 'UNKNOWN').replace(prefix, '').replaceAll('_', ' ');

/** Describe a replay: which recording, the moment that is played, and that nothing is live. */
export function replayText(bag: string, stampMs: number, rate: number | null, ended: boolean): string {
  const moment = new Date(stampMs).toLocaleString();
  return `Recording ${bag} ${ended ? 'has ended' : `at ${moment}, speed ${rate}`}. Nothing here is live; commands have no effect.`;
}

/** Keep numbers and their units on one line: "24 V". */
export const unbroken = (text: string): string => text.replace(/(\d) (?=\p{L}{1,3}\b)/gu, '$1\u00a0');

/** Format a share as percent without rounding it away: "0.025" -> "2.5 %". */
export const percent = (share: string): string => `${+(Number(share) * 100).toFixed(4)} %`;

const KILOGRAMS: Record<string, number> = { kg: 1, g: 0.001, lb: 0.45359237, oz: 0.028349523125, t: 1000 };

export interface Band {
  /** All positions are fractions of the bar, 0..1. */
  value: number;
  target: number;
  low: number;
  high: number;
}

/**
 * Return the positions of weight, target and tolerance band on a bar twice as wide as the band; null without a target.
 * For drawing only: weigh_station decides the result with decimals.
 */
export function band(weight: string, unit: string, target: string, targetUnit: string, tolerance: string): Band | null {
  const factor = (KILOGRAMS[unit] ?? NaN) / (KILOGRAMS[targetUnit] ?? NaN);
  const [value, goal, fraction] = [Number(weight) * factor, Number(target), Number(tolerance)];
  if (!(goal > 0) || !(fraction > 0) || !Number.isFinite(value)) return null;
  const at = (x: number): number => Math.min(1, Math.max(0, 0.5 + (x - goal) / (4 * fraction * goal)));
  return { value: at(value), target: 0.5, low: at(goal * (1 - fraction)), high: at(goal * (1 + fraction)) };
}
