import { describe, expect, it } from 'vitest';
import { age, band, percent, replayText, seconds, since, unbroken } from '../src/core/format';

describe('ages', () => {
  it('are short and have a unit', () => {
    expect([0, 59_999, 60_000, 3_600_000, 90_000_000].map(age)).toEqual(['0 s', '59 s', '1 min', '1 h', '1 d']);
    expect(age(-5)).toBe('0 s');
  });

  it('that are unknown are shown as unknown', () => {
    expect([age(null), age(Infinity), since({ sec: 0, nanosec: 0 }, 5), since({ sec: 1, nanosec: 0 }, null)]).toEqual(Array(4).fill('no time'));
    expect(since({ sec: 1, nanosec: 0 }, 61_000)).toBe('1 min ago');
  });
});

describe('the weight bar', () => {
  it('has the target in the middle and the band at its limits', () => {
    expect(band('8', 'kg', '8.0', 'kg', '0.125')).toEqual({ value: 0.5, target: 0.5, low: 0.25, high: 0.75 });
  });

  it('converts units, and clamps outliers to its ends', () => {
    expect(band('12500', 'g', '12.5', 'kg', '0.1')?.value).toBeCloseTo(0.5);
    expect(band('99', 'kg', '12.5', 'kg', '0.1')?.value).toBe(1);
    expect(band('0', 'kg', '12.5', 'kg', '0.1')?.value).toBe(0);
  });

  it('is not drawn without a target, a tolerance or a known unit', () => {
    expect([band('1', 'kg', '', '', '0.1'), band('1', 'kg', '1', 'kg', ''), band('1', 'stone', '1', 'kg', '0.1'), band('', 'kg', '0', 'kg', '0.1')]).toEqual(Array(4).fill(null));
  });
});

describe('durations', () => {
  it('have a unit, and are a dash when there is no value', () => {
    expect([seconds(0.3), seconds(0), seconds(null)]).toEqual(['0.30 s', '–', '–']);
  });
});

describe('a replay', () => {
  it('names its recording and says that nothing is live', () => {
    expect(replayText('run1', 1_700_000_000_000, 2, false)).toMatch(/Recording run1 at .*2023.*speed 2.*Nothing here is live/);
    expect(replayText('run1', 0, null, true)).toContain('run1 has ended');
  });
});

describe('numbers', () => {
  it('keep their decimals and their units', () => {
    expect([percent('0.025'), percent('0.1'), percent('0.00125')]).toEqual(['2.5 %', '10 %', '0.125 %']);
    expect(unbroken('1 changeover, 24 V')).toBe('1 changeover, 24\u00a0V');
  });
});
