import { describe, expect, it } from 'vitest';
import { MultipartReader } from '../src/core/mjpeg';

describe('the camera stream', () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const part = (body: string): string => `--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${body.length}\r\nX-Age: 0.250\r\n\r\n${body}\r\n`;

  it('is parsed into frames however its bytes are split', async () => {
    const whole = bytes(part('first') + part('se\r\n\r\ncond'));
    for (let cut = 0; cut < whole.length; cut++) {
      const reader = new MultipartReader();
      const frames = [...reader.feed(whole.slice(0, cut)), ...reader.feed(whole.slice(cut))];
      expect(await Promise.all(frames.map((frame) => frame.jpeg.text()))).toEqual(['first', 'se\r\n\r\ncond']);
      expect(frames[0]!.ageMs).toBe(250);
    }
  });

  it('without lengths or beyond the size limit is rejected', () => {
    expect(() => new MultipartReader().feed(bytes('--frame\r\n\r\nxx'))).toThrow('Content-Length');
    expect(() => new MultipartReader(10).feed(bytes('x'.repeat(11)))).toThrow('no complete frame');
  });
});
