/** A tap this soon after another one was aimed at what stood there before, ms. Shorter than a deliberate second tap with a glove. */
const WINDOW_MS = 400;
/** Distance within which two taps are one finger that bounces or taps twice, px. */
const RADIUS_PX = 40;

export interface Tap {
  atMs: number;
  x: number;
  y: number;
  /** Control that was tapped. */
  target: unknown;
}

/**
 * Finds taps that hit a control which has come under the finger after a tap: a second tap on "Cancel job" would confirm the dialog,
 * and one on "Seen" would close the next reject of the list. Fast taps on the same control, e.g. on "+", are wanted.
 */
export class TapGuard {
  #last: Tap | null = null;

  /** Return whether a tap must have no effect. */
  isStray(tap: Tap): boolean {
    const last = this.#last;
    const near = last !== null && tap.atMs - last.atMs < WINDOW_MS && Math.hypot(tap.x - last.x, tap.y - last.y) <= RADIUS_PX;
    const stray = near && last.target !== tap.target;
    // A third tap is compared with the control of the first one.
    this.#last = stray ? { ...last, atMs: tap.atMs } : tap;
    return stray;
  }
}

/** Ignore stray taps of fingers and pens in the whole page, except on controls with the attribute `data-always`. */
export function guardTaps(page: Document): void {
  const guard = new TapGuard();
  page.addEventListener('click', (event) => {
    const { pointerType, clientX, clientY, timeStamp, target } = event as PointerEvent;
    if (!(target instanceof Element) || (pointerType !== 'touch' && pointerType !== 'pen')) return;
    const control = target.closest('label') ?? target.closest('button, a, summary, select, input') ?? target;
    const stray = guard.isStray({ atMs: timeStamp, x: clientX, y: clientY, target: control });
    if (!stray || control.hasAttribute('data-always')) return;
    event.preventDefault();
    event.stopPropagation();
  }, { capture: true });
}
