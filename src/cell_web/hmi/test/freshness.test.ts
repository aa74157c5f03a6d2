import { describe, expect, it } from 'vitest';
import { Freshness, LIMIT_MS, OWNERS } from '../src/core/freshness';

describe('freshness', () => {
  it('is the age of the oldest heartbeat of the nodes that make a value', () => {
    const fresh = new Freshness();
    for (const node of OWNERS.captured) fresh.onHeartbeat(node, 100);
    fresh.onHeartbeat('coordinator', 900);
    expect(fresh.age('captured', 1000)).toBe(900);
    expect(fresh.age('job', 1000)).toBe(100);
    expect(fresh.age('inventory', 1000)).toBe(Infinity);
  });

  it('goes by the heartbeat of a node, not by a status that still calls it OK', () => {
    const fresh = new Freshness();
    fresh.onHeartbeat('inventory', 0);
    fresh.onStatus([{ name: 'inventory', level: 0 }], 5000);
    expect(fresh.age('inventory', 5000)).toBeGreaterThan(LIMIT_MS);
  });

  it('goes by the status and the robot state where no heartbeat was ever received', () => {
    const fresh = new Freshness();
    fresh.onStatus([{ name: 'inventory', level: 0 }, { name: 'alarms', level: 3 }, { name: 'robot', level: 0 }], 1000);
    expect(fresh.age('inventory', 1100)).toBe(100);
    expect(fresh.age('job', 1100)).toBe(100);
    expect(fresh.age('alarms', 1100)).toBe(Infinity);
    expect(fresh.age('robot', 1100)).toBe(Infinity);
    fresh.onRobot(1050);
    expect(fresh.age('robot', 1100)).toBe(50);
  });

  it('ignores a heartbeat that is older than the known one', () => {
    const fresh = new Freshness();
    fresh.onHeartbeat('alarms', 500);
    fresh.onHeartbeat('alarms', 100);
    expect(fresh.nodeAge('alarms', 600)).toBe(100);
  });

  it('is older by the time for which the computer was asleep', () => {
    const fresh = new Freshness();
    fresh.onHeartbeat('alarms', 500);
    fresh.onStatus([{ name: 'ocr', level: 0 }], 500);
    fresh.addAge(60_000);
    expect([fresh.nodeAge('alarms', 600), fresh.nodeAge('ocr', 600)]).toEqual([60_100, 60_100]);
  });
});
