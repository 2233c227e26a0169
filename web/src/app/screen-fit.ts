/** Keeps the terminal's font, place and reported window in step with the room that it has. */

import type { Status, WindowSize } from '../session';
import {
  type Disposable,
  FONT_SIZE_MIN,
  FONT_STEP,
  fontThatFits,
  type PixelSize,
  type TermView,
  windowThatFits,
} from '../terminal';

/** Room that the emulator's scroll bar takes at the right. */
const SCROLLBAR_PX = 12;
/** Room for the frame around a screen of somebody else's size, on each side. */
const FRAME_PX = 10;

export interface FitListener {
  /** The size that this window has room for. */
  handleWindow(size: WindowSize): void;
  /** Whether the screen has a size that is not this window's. */
  handleFramed(framed: boolean): void;
}

type FittedStatus = Pick<Status, 'size' | 'owner' | 'phase'>;

export class ScreenFit implements Disposable {
  readonly #stage: HTMLElement;
  readonly #host: HTMLElement;
  readonly #view: TermView;
  readonly #listener: FitListener;
  readonly #observer: ResizeObserver;
  #frame: number | undefined;
  #fontSize: number;
  #status: FittedStatus = { size: undefined, owner: 'nobody', phase: 'connecting' };
  /** One cell with the font that the person chose, and what it was measured under. */
  #cell: { readonly under: string; readonly size: PixelSize } | undefined;

  /** `host` holds the terminal and lies in `stage`. */
  constructor(
    elements: { readonly stage: HTMLElement; readonly host: HTMLElement },
    view: TermView,
    fontSize: number,
    listener: FitListener,
  ) {
    this.#stage = elements.stage;
    this.#host = elements.host;
    this.#view = view;
    this.#fontSize = fontSize;
    this.#listener = listener;
    this.#observer = new ResizeObserver(() => this.#schedule());
    this.#observer.observe(this.#stage);
  }

  setFontSize(pixels: number): void {
    this.#fontSize = pixels;
    this.#cell = undefined;
    this.#refit();
  }

  /** The session may have a new size or owner, or have ended. */
  setSession({ size, owner, phase }: FittedStatus): void {
    const before = this.#status;
    this.#status = { size, owner, phase };
    if (size !== before.size || owner !== before.owner || phase !== before.phase) {
      this.#schedule();
    }
  }

  /** The window that the stage has room for. */
  measure(): WindowSize {
    return windowThatFits(this.#area(), this.#measureCell());
  }

  dispose(): void {
    this.#observer.disconnect();
    if (this.#frame !== undefined) {
      cancelAnimationFrame(this.#frame);
    }
  }

  /** Many changes in one frame are one change. */
  #schedule(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#refit();
    });
  }

  #refit(): void {
    const area = this.#area();
    if (area.width <= 0 || area.height <= 0) {
      return;
    }
    const cell = this.#measureCell();
    const window = windowThatFits(area, cell);
    this.#listener.handleWindow(window);
    const { size, owner, phase } = this.#status;
    const foreign = size !== undefined && !sameSize(size, window) ? size : undefined;
    const framed = owner === 'self' ? undefined : foreign;
    // A size of our own follows the window, until the session has ended: then nothing may be cut off.
    const kept = phase === 'closed' ? foreign : framed;
    if (kept === undefined) {
      this.#view.setFontSize(this.#fontSize);
    } else {
      this.#shrink(framed === undefined ? area : inset(area, FRAME_PX), cell, kept);
    }
    this.#place(framed);
    this.#listener.handleFramed(framed !== undefined);
  }

  /** Finds the largest font with which `size` fits. Cells are whole pixels, so the estimate may be too large. */
  #shrink(room: PixelSize, cell: PixelSize, size: WindowSize): void {
    let font = fontThatFits(room, cell, size, this.#fontSize);
    this.#view.setFontSize(font);
    while (font > FONT_SIZE_MIN && !fits(size, this.#view.cell, room)) {
      font = Math.max(FONT_SIZE_MIN, font - FONT_STEP);
      this.#view.setFontSize(font);
    }
  }

  /** A screen of somebody else's size stands framed in the middle; our own fills the stage. */
  #place(framed: WindowSize | undefined): void {
    const { style } = this.#host;
    this.#stage.toggleAttribute('data-letterbox', framed !== undefined);
    if (framed === undefined) {
      style.width = '';
      style.height = '';
      return;
    }
    const { width, height } = this.#view.cell;
    style.width = `${Math.ceil(framed.cols * width) + SCROLLBAR_PX}px`;
    style.height = `${Math.ceil(framed.rows * height)}px`;
  }

  #area(): PixelSize {
    const style = getComputedStyle(this.#stage);
    const inner = (outer: number, before: string, after: string) =>
      outer - Number.parseFloat(before) - Number.parseFloat(after);
    const { clientWidth, clientHeight } = this.#stage;
    return {
      width: inner(clientWidth, style.paddingLeft, style.paddingRight) - SCROLLBAR_PX,
      height: inner(clientHeight, style.paddingTop, style.paddingBottom),
    };
  }

  #measureCell(): PixelSize {
    const under = `${this.#fontSize} at ${window.devicePixelRatio}`;
    if (this.#cell?.under !== under) {
      this.#view.setFontSize(this.#fontSize);
      this.#cell = { under, size: this.#view.cell };
    }
    return this.#cell.size;
  }
}

function fits({ cols, rows }: WindowSize, cell: PixelSize, room: PixelSize): boolean {
  return cols * cell.width <= room.width && rows * cell.height <= room.height;
}

function inset({ width, height }: PixelSize, by: number): PixelSize {
  return { width: width - 2 * by, height: height - 2 * by };
}

function sameSize(a: WindowSize, b: WindowSize): boolean {
  return a.cols === b.cols && a.rows === b.rows;
}
