import type { Stamp } from '../generated/messages';
import { milliseconds } from './clock';

/** Return an age for people: "3 s", "12 min", "5 h", "2 d"; "no time" when it is not known. */
export function age(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return 'no time';
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  return s < 86_400 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86_400)} d`;
}

/** Return how long ago a stamp was, by the cell's clock. */
export function since(stamp: Stamp, cellMs: number | null): string {
  return cellMs === null || milliseconds(stamp) === 0 ? age(null) : `${age(cellMs - milliseconds(stamp))} ago`;
}

/** Return seconds with two digits, or a dash when there is no value. */
export const seconds = (value: number | null): string => (value ? `${value.toFixed(2)} s` : '–');

/** Write a constant's name for people: WAITING_RELOAD -> WAITING RELOAD, STEP_READ -> READ with prefix "STEP_". */
export const spoken = (name: string | undefined, prefix = ''): string => (name ?? 'UNKNOWN').replace(prefix, '').replaceAll('_', ' ');

const KILOGRAMS: Record<string, number> = { kg: 1, g: 0.001, lb: 0.45359237, oz: 0.028349523125, t: 1000 };

export interface Band {
  /** All in fractions of the bar, 0..1. */
  value: number;
  target: number;
  low: number;
  high: number;
}

/**
 * Where a weight, its target and its tolerance band lie on a bar that shows twice the band. For drawing only: the verdict is
 * the station's, in decimals. null when there is nothing to compare with.
 */
export function band(weight: string, unit: string, target: string, targetUnit: string, tolerance: string): Band | null {
  const factor = (KILOGRAMS[unit] ?? NaN) / (KILOGRAMS[targetUnit] ?? NaN);
  const [value, goal, fraction] = [Number(weight) * factor, Number(target), Number(tolerance)];
  if (!(goal > 0) || !(fraction > 0) || !Number.isFinite(value)) return null;
  const at = (x: number): number => Math.min(1, Math.max(0, 0.5 + (x - goal) / (4 * fraction * goal)));
  return { value: at(value), target: 0.5, low: at(goal * (1 - fraction)), high: at(goal * (1 + fraction)) };
}
