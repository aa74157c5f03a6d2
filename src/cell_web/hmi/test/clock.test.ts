import { describe, expect, it } from 'vitest';
import { milliseconds, ServerClock, SleepDetector, stampOf } from '../src/core/clock';

describe("the cell's clock", () => {
  it('is unknown before the first stamp', () => {
    expect(new ServerClock().now(5)).toBeNull();
  });

  it('follows the stamp with the lowest latency', () => {
    const clock = new ServerClock();
    clock.observe({ sec: 100, nanosec: 0 }, 5_400); // an old latched value
    clock.observe({ sec: 102, nanosec: 0 }, 5_050); // 50 ms latency
    clock.observe({ sec: 103, nanosec: 0 }, 6_300);
    expect(clock.now(7_050)).toBe(104_000);
  });

  it('drops old samples, so that it follows a clock that was set back', () => {
    const clock = new ServerClock();
    clock.observe({ sec: 1000, nanosec: 0 }, 0);
    for (let i = 0; i < 30; i++) clock.observe({ sec: 500 + i, nanosec: 0 }, i * 1000);
    expect(clock.now(29_000)).toBe(529_000);
  });

  it('shows a sleep of the computer, and no more than once', () => {
    const sleep = new SleepDetector();
    const asleep = [[1_000_000, 500], [1_000_200, 700], [4_600_400, 900], [4_600_600, 1_100]].map(([wall, local]) => sleep.observe(wall!, local!));
    expect(asleep).toEqual([0, 0, 3_600_000, 0]);
  });

  it('takes a slow timer for no sleep', () => {
    const sleep = new SleepDetector();
    expect([sleep.observe(0, 0), sleep.observe(60_000, 60_000), sleep.observe(50_000, 60_200)]).toEqual([0, 0, 0]);
  });

  it('writes stamps as ROS does', () => {
    expect(stampOf(1_500.25)).toEqual({ sec: 1, nanosec: 500_250_000 });
    expect(milliseconds({ sec: 1, nanosec: 500_250_000 })).toBe(1500.25);
  });
});
