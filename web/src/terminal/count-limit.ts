/**
 * Keeps a count in the output from stopping the page. xterm.js 6.0.0 repeats what `CSI Ps b`, `S`, `T`, `L`, `M`,
 * `I` and `Z` ask for as often as they say, and makes room for all characters of a REP at once: `CSI 2147483647 b` is
 * 8 GB of them. Beyond a screen, a line or a row of stops nothing changes any more, so that is what they get. And the
 * text of a cell is copied for each mark that is put on it, so there is an end to them, as on the server's screen.
 */

/** UTF-16 units of the text of one cell. */
const CELL_LENGTH_MAX = 128;

interface Params {
  readonly params: Int32Array;
}

/** What xterm.js keeps behind its face: its handlers may change the parameters that the built-in one will see. */
interface Core {
  registerCsiHandler(id: { final: string }, handle: (params: Params) => boolean): unknown;
  readonly buffer: { readonly lines: { get(index: number): Line | undefined } };
}

interface Line {
  getString(index: number): string;
  addCodepointToCell(index: number, codePoint: number, width: number): void;
}

interface Size {
  readonly cols: number;
  readonly rows: number;
}

const MOST: Readonly<Record<string, (size: Size) => number>> = {
  b: ({ cols, rows }) => cols * rows,
  S: ({ rows }) => rows,
  T: ({ rows }) => rows,
  L: ({ rows }) => rows,
  M: ({ rows }) => rows,
  I: ({ cols }) => cols,
  Z: ({ cols }) => cols,
};

/** Bounds the counts that `term` obeys, and the text of its cells; to be called before it is written to. */
export function limitCounts(term: Size): void {
  const core = Reflect.get(term, '_core') as Core;
  for (const [final, most] of Object.entries(MOST)) {
    core.registerCsiHandler({ final }, ({ params }) => {
      params[0] = Math.min(params[0] ?? 0, most(term));
      return false;
    });
  }
  const line = core.buffer.lines.get(0);
  if (line !== undefined) {
    limitCells(Object.getPrototypeOf(line) as Line);
  }
}

/** Lines share their methods, so this is done once for all terminals of a page. */
function limitCells(lines: Line): void {
  const add = lines.addCodepointToCell;
  if (limited.has(add)) {
    return;
  }
  lines.addCodepointToCell = function (this: Line, index, codePoint, width) {
    if (this.getString(index).length < CELL_LENGTH_MAX) {
      add.call(this, index, codePoint, width);
    }
  };
  limited.add(lines.addCodepointToCell);
}

const limited = new WeakSet<object>();
