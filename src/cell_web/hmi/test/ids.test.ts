import { describe, expect, it } from 'vitest';
import { newId } from '../src/core/ids';

describe('ids', () => {
  it('are version 4 UUIDs and differ', () => {
    expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(newId()).not.toBe(newId());
  });
});
