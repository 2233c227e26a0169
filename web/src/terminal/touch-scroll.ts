/** A finger on the terminal scrolls it, as a wheel would: scrollback, or whatever a full-screen program does. */

import type { Disposable } from './term-view';

/** Movement below this is a tap. */
const SLOP_PX = 8;

export function enableTouchScroll(element: HTMLElement): Disposable {
  const abort = new AbortController();
  const options = { signal: abort.signal, passive: true } as const;
  let lastY: number | undefined;
  let moving = false;

  element.addEventListener(
    'touchstart',
    (event) => {
      lastY = event.touches.length === 1 ? event.touches[0]?.clientY : undefined;
      moving = false;
    },
    options,
  );
  element.addEventListener(
    'touchmove',
    (event) => {
      const touch = event.touches[0];
      if (lastY === undefined || touch === undefined || event.touches.length !== 1) {
        return;
      }
      const deltaY = lastY - touch.clientY;
      if (!moving && Math.abs(deltaY) < SLOP_PX) {
        return;
      }
      moving = true;
      lastY = touch.clientY;
      const { clientX, clientY } = touch;
      const wheel = { deltaY, clientX, clientY, bubbles: true, cancelable: true };
      event.target?.dispatchEvent(new WheelEvent('wheel', wheel));
    },
    options,
  );
  return { dispose: () => abort.abort() };
}
