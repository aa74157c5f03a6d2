/** One frame of a motion JPEG stream. */
export interface CameraFrame {
  jpeg: Blob;
  /** How old the frame was when it was sent, ms. */
  ageMs: number;
}

const decoder = new TextDecoder('latin1');

/** Cuts a multipart/x-mixed-replace stream into frames. Feed it bytes as they come. */
export class MultipartReader {
  #bytes = new Uint8Array(0);

  constructor(private readonly limit = 16 * 1024 * 1024) {}

  /** Add bytes and return the frames that became complete. */
  feed(chunk: Uint8Array): CameraFrame[] {
    const joined = new Uint8Array(this.#bytes.length + chunk.length);
    joined.set(this.#bytes);
    joined.set(chunk, this.#bytes.length);
    this.#bytes = joined;
    if (joined.length > this.limit) throw new Error('camera stream without frames');
    const frames: CameraFrame[] = [];
    for (let frame = this.#next(); frame; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): CameraFrame | null {
    const end = headEnd(this.#bytes);
    if (end < 0) return null;
    const head = decoder.decode(this.#bytes.subarray(0, end));
    const length = Number(/content-length:\s*(\d+)/i.exec(head)?.[1] ?? NaN);
    if (!Number.isFinite(length)) throw new Error('camera stream part without a length');
    const start = end + 4;
    if (this.#bytes.length < start + length) return null;
    const jpeg = new Blob([this.#bytes.slice(start, start + length)], { type: 'image/jpeg' });
    this.#bytes = this.#bytes.slice(start + length);
    return { jpeg, ageMs: 1000 * Number(/x-age:\s*([\d.]+)/i.exec(head)?.[1] ?? 0) };
  }
}

function headEnd(bytes: Uint8Array): number {
  for (let i = 0; i + 3 < bytes.length; i++) {
    if (bytes[i] === 13 && bytes[i + 1] === 10 && bytes[i + 2] === 13 && bytes[i + 3] === 10) return i;
  }
  return -1;
}

/**
 * Read a stream until `signal` says stop; every frame goes to `show`.
 *
 * The page reads the stream itself, because an <img> that shows one freezes without a word when frames stop coming.
 *
 * @throws Error the stream ended or could not be had; the text says why.
 */
export async function watch(url: string, signal: AbortSignal, show: (frame: CameraFrame) => void): Promise<never> {
  const response = await fetch(url, { signal, cache: 'no-store' });
  if (!response.ok || !response.body) throw new Error((await response.text()) || `HTTP ${response.status}`);
  const reader = response.body.getReader();
  const parts = new MultipartReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error('The stream ended.');
    const newest = parts.feed(value).at(-1);
    if (newest) show(newest);
  }
}

/** Return the JPEG in a message's base64 field, or null when there is none. */
export function pictureOf(base64: string): Blob | null {
  if (!base64) return null;
  try {
    return new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], { type: 'image/jpeg' });
  } catch {
    return null;
  }
}
