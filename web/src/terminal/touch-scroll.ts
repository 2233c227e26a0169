/** A finger on the terminal scrolls it, line by line. */

import type { Disposable } from './term-view';

/** Movement below this is a tap. */
const SLOP_PX = 8;

export interface TouchScrollTarget {
  /** Height of a line in CSS pixels. */
  lineHeight(): number;
  /** The content moves up by `lines`, or down when negative; the finger is at `touch`. */
  scroll(lines: number, touch: Touch): void;
}

export function enableTouchScroll(element: HTMLElement, target: TouchScrollTarget): Disposable {
  const abort = new AbortController();
  const options = { signal: abort.signal, passive: true } as const;
  let from: number | undefined;
  let moving = false;

  element.addEventListener(
    'touchstart',
    ({ touches }) => {
      from = touches.length === 1 ? touches[0]?.clientY : undefined;
      moving = false;
    },
    options,
  );
  element.addEventListener(
    'touchmove',
    ({ touches }) => {
      const touch = touches[0];
      if (from === undefined || touch === undefined || touches.length !== 1) {
        return;
      }
      const moved = from - touch.clientY;
      moving ||= Math.abs(moved) >= SLOP_PX;
      const height = target.lineHeight();
      const lines = Math.trunc(moved / height);
      if (moving && lines !== 0) {
        // What is left over of a line counts for the next one.
        from -= lines * height;
        target.scroll(lines, touch);
      }
    },
    options,
  );
  return { dispose: () => abort.abort() };
}
