/** A window size on the wire: columns first, each in 16 bits, within limits. */

import { FrameError } from './bytes';
import { COLS_MAX, COLS_MIN, ROWS_MAX, ROWS_MIN } from './limits';

/** Columns come first, as in `cols × rows`. */
export interface WindowSize {
  readonly cols: number;
  readonly rows: number;
}

/** What a client asks for becomes the nearest size that there is. */
export function clampSize(cols: number, rows: number): WindowSize {
  return {
    cols: Math.min(Math.max(cols, COLS_MIN), COLS_MAX),
    rows: Math.min(Math.max(rows, ROWS_MIN), ROWS_MAX),
  };
}

/** What a server says is within the limits, or malformed. */
export function checkSize(cols: number, rows: number): WindowSize {
  const size = clampSize(cols, rows);
  if (size.cols !== cols || size.rows !== rows) {
    throw new FrameError(`size ${cols}×${rows} is out of limits`);
  }
  return size;
}
