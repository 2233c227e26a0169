/** Keeps the terminal's font, place and reported window in step with the room that it has. */

import type { Status, WindowSize } from '../session';
import {
  type Disposable,
  fontThatFits,
  type PixelSize,
  type TermView,
  windowThatFits,
} from '../terminal';

/** Room that the emulator's scroll bar takes at the right. */
const SCROLLBAR_PX = 12;

export class ScreenFit implements Disposable {
  readonly #stage: HTMLElement;
  readonly #host: HTMLElement;
  readonly #view: TermView;
  readonly #report: (window: WindowSize) => void;
  readonly #observer: ResizeObserver;
  #frame: number | undefined;
  #fontSize: number;
  #status: Pick<Status, 'size' | 'owner'> = { size: undefined, owner: 'nobody' };
  /** One cell with the font that the person chose, and what it was measured under. */
  #cell: { readonly under: string; readonly size: PixelSize } | undefined;

  /** `host` holds the terminal and lies in `stage`; `report` hears of every new window size. */
  constructor(
    elements: { readonly stage: HTMLElement; readonly host: HTMLElement },
    view: TermView,
    fontSize: number,
    report: (window: WindowSize) => void,
  ) {
    this.#stage = elements.stage;
    this.#host = elements.host;
    this.#view = view;
    this.#fontSize = fontSize;
    this.#report = report;
    this.#observer = new ResizeObserver(() => this.#schedule());
    this.#observer.observe(this.#stage);
  }

  setFontSize(pixels: number): void {
    this.#fontSize = pixels;
    this.#cell = undefined;
    this.#refit();
  }

  /** The session has a new size or owner. */
  setSession(status: Pick<Status, 'size' | 'owner'>): void {
    if (status.size !== this.#status.size || status.owner !== this.#status.owner) {
      this.#status = { size: status.size, owner: status.owner };
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
    this.#report(window);
    const { size, owner } = this.#status;
    const foreign = size !== undefined && owner !== 'self' && !sameSize(size, window);
    this.#view.setFontSize(
      foreign ? fontThatFits(area, cell, size, this.#fontSize) : this.#fontSize,
    );
    this.#place(foreign ? size : undefined);
  }

  /** A screen of somebody else's size stands framed in the middle; our own fills the stage. */
  #place(size: WindowSize | undefined): void {
    const { style } = this.#host;
    this.#stage.toggleAttribute('data-letterbox', size !== undefined);
    if (size === undefined) {
      style.width = '';
      style.height = '';
      return;
    }
    const { width, height } = this.#view.cell;
    style.width = `${Math.ceil(size.cols * width) + SCROLLBAR_PX}px`;
    style.height = `${Math.ceil(size.rows * height)}px`;
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

function sameSize(a: WindowSize, b: WindowSize): boolean {
  return a.cols === b.cols && a.rows === b.rows;
}
