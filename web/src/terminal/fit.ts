/** Arithmetic of windows, cells and fonts. */

import { COLS_MAX, COLS_MIN, ROWS_MAX, ROWS_MIN } from '../protocol';
import type { WindowSize } from '../session';
import type { PixelSize } from './term-view';

/** Smaller than this nobody reads; the screen scrolls instead. */
export const FONT_SIZE_MIN = 6;
export const FONT_SIZE_MAX = 40;
/** Finer steps in pixels do not change the rounded cells. */
export const FONT_STEP = 0.25;

/** Columns and rows that fit into `area`, within what a server accepts. */
export function windowThatFits(area: PixelSize, cell: PixelSize): WindowSize {
  return {
    cols: clamp(Math.floor(area.width / cell.width), COLS_MIN, COLS_MAX),
    rows: clamp(Math.floor(area.height / cell.height), ROWS_MIN, ROWS_MAX),
  };
}

/**
 * The font size with which a screen of `size` fits into `area`, at most `wanted`. `cell` is measured with the
 * wanted font. Somebody else owns the size; the whole screen is worth more than large letters.
 */
export function fontThatFits(
  area: PixelSize,
  cell: PixelSize,
  size: WindowSize,
  wanted: number,
): number {
  const shrink = Math.min(
    1,
    area.width / (size.cols * cell.width),
    area.height / (size.rows * cell.height),
  );
  return shrink === 1
    ? wanted
    : Math.max(FONT_SIZE_MIN, Math.floor((wanted * shrink) / FONT_STEP) * FONT_STEP);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
