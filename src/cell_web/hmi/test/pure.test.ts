import { describe, expect, it } from 'vitest';
import { generate, parse, typeOf } from '../scripts/generate_messages.mjs';
import { backoff } from '../src/core/backoff';
import { MultipartReader } from '../src/core/camera';
import { milliseconds, ServerClock, stampOf } from '../src/core/clock';
import { newId } from '../src/core/ids';

describe('back-off', () => {
  it('doubles up to its limit and spreads over half of it', () => {
    expect([0, 1, 2].map((attempt) => backoff(attempt, () => 1))).toEqual([500, 1000, 2000]);
    expect([backoff(50, () => 1), backoff(50, () => 0)]).toEqual([15_000, 7_500]);
  });
});

describe("the cell's clock", () => {
  it('is not known before a stamp came', () => {
    expect(new ServerClock().now(5)).toBeNull();
  });

  it('follows the stamp that travelled quickest', () => {
    const clock = new ServerClock();
    clock.observe({ sec: 100, nanosec: 0 }, 5_400); // an old latched value
    clock.observe({ sec: 102, nanosec: 0 }, 5_050); // 50 ms under way
    clock.observe({ sec: 103, nanosec: 0 }, 6_300);
    expect(clock.now(7_050)).toBe(104_000);
  });

  it('forgets old samples, so that a clock that was set back is followed', () => {
    const clock = new ServerClock();
    clock.observe({ sec: 1000, nanosec: 0 }, 0);
    for (let i = 0; i < 30; i++) clock.observe({ sec: 500 + i, nanosec: 0 }, i * 1000);
    expect(clock.now(29_000)).toBe(529_000);
  });

  it('writes stamps as ROS does', () => {
    expect(stampOf(1_500.25)).toEqual({ sec: 1, nanosec: 500_250_000 });
    expect(milliseconds({ sec: 1, nanosec: 500_250_000 })).toBe(1500.25);
  });
});

describe('ids', () => {
  it('are version 4 UUIDs and differ', () => {
    expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(newId()).not.toBe(newId());
  });
});

describe('the camera stream', () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const part = (body: string): string => `--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${body.length}\r\nX-Age: 0.250\r\n\r\n${body}\r\n`;

  it('is cut into frames wherever its bytes are cut', async () => {
    const whole = bytes(part('first') + part('se\r\n\r\ncond'));
    for (let cut = 0; cut < whole.length; cut++) {
      const reader = new MultipartReader();
      const frames = [...reader.feed(whole.slice(0, cut)), ...reader.feed(whole.slice(cut))];
      expect(await Promise.all(frames.map((frame) => frame.jpeg.text()))).toEqual(['first', 'se\r\n\r\ncond']);
      expect(frames[0]!.ageMs).toBe(250);
    }
  });

  it('without lengths or without end is refused', () => {
    expect(() => new MultipartReader().feed(bytes('--frame\r\n\r\nxx'))).toThrow('length');
    expect(() => new MultipartReader(10).feed(bytes('x'.repeat(11)))).toThrow('without frames');
  });
});

describe('generated messages', () => {
  it('give constants to the field that follows them', () => {
    const { fields, loose } = parse('uint8 OK=0   # fine\nuint8 BAD=1\nuint8 level\nstring name  # who\nuint8 level2\n');
    expect(fields.map((field) => [field.name, field.constants.map((constant) => constant.name)])).toEqual([['level', ['OK', 'BAD']], ['name', []], ['level2', []]]);
    expect(loose).toEqual([]);
  });

  it('have the types of rosbridge JSON', () => {
    expect(typeOf({ type: 'uint8', array: '[]' })).toBe('string');
    expect(typeOf({ type: 'float32' })).toBe('number | null');
    expect(typeOf({ type: 'PartStock', array: '[]' })).toBe('PartStock[]');
    expect(() => typeOf({ type: 'unknown_msgs/Thing' })).toThrow('unknown_msgs/Thing');
  });

  it('cover every interface and its named constants', () => {
    const text = generate(new URL('../../../cell_interfaces', import.meta.url).pathname);
    expect(text).toContain("'cell_interfaces/action/RunJob'");
    expect(text).toContain("202: { name: 'ROBOT_OUTCOME_UNKNOWN'");
    expect(text).toContain('WAITING_RELOAD: 4');
    expect(text).toContain("'-2': { name: 'MODE_UNKNOWN'");
  });

  it('refuse a line that they cannot read', () => {
    expect(() => parse('uint8')).toThrow('cannot read');
  });
});
