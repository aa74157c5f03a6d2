import { describe, expect, it } from 'vitest';
import { TapGuard } from '../src/core/tapGuard';

const tap = (atMs: number, target: string, x = 100, y = 100): { atMs: number; x: number; y: number; target: string } => ({ atMs, x, y, target });

describe('a second tap', () => {
  it('on what has come under the finger is stray, and so is a third one', () => {
    const guard = new TapGuard();
    expect([tap(0, 'Cancel job'), tap(180, 'confirm', 104, 98), tap(360, 'confirm')].map((entry) => guard.isStray(entry))).toEqual([false, true, true]);
  });

  it('on the same control is wanted', () => {
    const guard = new TapGuard();
    expect([0, 90, 180].map((at) => guard.isStray(tap(at, '+')))).toEqual([false, false, false]);
  });

  it('later, or elsewhere, is wanted', () => {
    const guard = new TapGuard();
    expect([tap(0, 'Start'), tap(450, 'confirm')].map((entry) => guard.isStray(entry))).toEqual([false, false]);
    expect([tap(1000, 'Start'), tap(1100, 'Weigh', 300, 20)].map((entry) => guard.isStray(entry))).toEqual([false, false]);
  });
});
