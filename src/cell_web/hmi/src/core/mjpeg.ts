/** One frame of a motion JPEG stream. */
export interface CameraFrame {
  jpeg: Blob;
  /** Age of the frame when the gateway sent it, ms (X-Age header). */
  ageMs: number;
}

const decoder = new TextDecoder('latin1');

/**
 * Incremental parser of multipart/x-mixed-replace: bytes in, complete frames out.
 *
 * The gateway always sends Content-Length, so boundaries are not searched in the image data.
 */
export class MultipartReader {
  #bytes = new Uint8Array(0);

  constructor(private readonly limit = 16 * 1024 * 1024) {}

  /** Append bytes and return the completed frames. Throws when a part has no length or exceeds the limit. */
  feed(chunk: Uint8Array): CameraFrame[] {
    const joined = new Uint8Array(this.#bytes.length + chunk.length);
    joined.set(this.#bytes);
    joined.set(chunk, this.#bytes.length);
    this.#bytes = joined;
    if (joined.length > this.limit) throw new Error('camera stream: no complete frame within the size limit');
    const frames: CameraFrame[] = [];
    for (let frame = this.#next(); frame; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): CameraFrame | null {
    const end = headerEnd(this.#bytes);
    if (end < 0) return null;
    const head = decoder.decode(this.#bytes.subarray(0, end));
    const length = Number(/content-length:\s*(\d+)/i.exec(head)?.[1] ?? NaN);
    if (!Number.isFinite(length)) throw new Error('camera stream: part without Content-Length');
    const start = end + 4;
    if (this.#bytes.length < start + length) return null;
    const jpeg = new Blob([this.#bytes.slice(start, start + length)], { type: 'image/jpeg' });
    this.#bytes = this.#bytes.slice(start + length);
    return { jpeg, ageMs: 1000 * Number(/x-age:\s*([\d.]+)/i.exec(head)?.[1] ?? 0) };
  }
}

function headerEnd(bytes: Uint8Array): number {
  for (let i = 0; i + 3 < bytes.length; i++) {
    if (bytes[i] === 13 && bytes[i + 1] === 10 && bytes[i + 2] === 13 && bytes[i + 3] === 10) return i;
  }
  return -1;
}

/**
 * Read a stream until `signal` aborts; call `show` with the newest frame of each chunk.
 *
 * An <img> with an MJPEG source freezes without an event when frames stop, so the page parses the stream.
 *
 * @throws Error when the stream ended or could not be opened.
 */
export async function readStream(url: string, signal: AbortSignal, show: (frame: CameraFrame) => void): Promise<never> {
  const response = await fetch(url, { signal, cache: 'no-store' });
  if (!response.ok || !response.body) throw new Error((await response.text()) || `HTTP ${response.status}`);
  const reader = response.body.getReader();
  const parts = new MultipartReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error('Camera stream ended.');
    const newest = parts.feed(value).at(-1);
    if (newest) show(newest);
  }
}

/** Decode the base64 JPEG of a message; null when the field is empty or invalid. */
export function jpegFromBase64(base64: string): Blob | null {
  if (!base64) return null;
  try {
    return new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], { type: 'image/jpeg' });
  } catch {
    return null;
  }
}
