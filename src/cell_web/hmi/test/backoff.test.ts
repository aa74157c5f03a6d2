import { describe, expect, it } from 'vitest';
import { backoff } from '../src/core/backoff';

describe('back-off', () => {
  it('doubles up to its limit and adds jitter over half of it', () => {
    expect([0, 1, 2].map((attempt) => backoff(attempt, () => 1))).toEqual([250, 500, 500]);
    expect([backoff(50, () => 1), backoff(50, () => 0)]).toEqual([500, 250]);
  });
});
