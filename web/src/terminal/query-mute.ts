/**
 * Keeps the emulator from answering queries. The server answers each one once; a second answer would arrive as
 * typing, and an answer to a query that is part of a snapshot would be typing that nobody asked for.
 */

interface Disposable {
  dispose(): void;
}

interface FunctionId {
  readonly prefix?: string;
  readonly intermediates?: string;
  readonly final: string;
}

/** The parser hooks of the emulator. A handler that answers true keeps the built-in one from running. */
export interface ParserHooks {
  registerCsiHandler(id: FunctionId, handle: (params: readonly unknown[]) => boolean): Disposable;
  registerDcsHandler(id: FunctionId, handle: (data: string) => boolean): Disposable;
  registerOscHandler(ident: number, handle: (data: string) => boolean): Disposable;
}

/** CSI sequences whose only purpose is an answer. */
const CSI_QUERIES: readonly FunctionId[] = [
  { final: 'c' }, // DA1
  { prefix: '>', final: 'c' }, // DA2
  { prefix: '=', final: 'c' }, // DA3
  { final: 'n' }, // DSR
  { prefix: '?', final: 'n' }, // DECDSR
  { intermediates: '$', final: 'p' }, // DECRQM, ANSI modes
  { prefix: '?', intermediates: '$', final: 'p' }, // DECRQM, private modes
  { prefix: '>', final: 'q' }, // XTVERSION
  { prefix: '?', final: 'u' }, // kitty keyboard flags
  { final: 'x' }, // DECREQTPARM
  { final: 't' }, // XTWINOPS: reports, and a window that is not the program's to move
];

const DCS_QUERIES: readonly FunctionId[] = [
  { intermediates: '$', final: 'q' }, // DECRQSS
  { intermediates: '+', final: 'q' }, // XTGETTCAP
];

/** OSC commands that set a colour, or ask for it when a field is `?`. */
const OSC_COLOURS: readonly number[] = [4, 5, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];

const OSC_CLIPBOARD = 52;
const FOCUS_REPORTS = 1004;

/** Answers for how long the emulator's own words must not be sent; `muted` is true while it answers. */
export class QueryMute {
  #muted = false;

  constructor(parser: ParserHooks) {
    for (const id of CSI_QUERIES) {
      parser.registerCsiHandler(id, () => true);
    }
    for (const id of DCS_QUERIES) {
      parser.registerDcsHandler(id, () => true);
    }
    for (const ident of OSC_COLOURS) {
      parser.registerOscHandler(ident, (data) => data.split(';').includes('?'));
    }
    parser.registerOscHandler(OSC_CLIPBOARD, () => true);
    // Turning focus reports on makes the emulator report at once. The mode must be set, the report not sent.
    parser.registerCsiHandler({ prefix: '?', final: 'h' }, (params) => {
      if (params.includes(FOCUS_REPORTS)) {
        this.#muteUntilParsed();
      }
      return false;
    });
  }

  get muted(): boolean {
    return this.#muted;
  }

  /** Parsing is synchronous, and a microtask runs before any event of the person at the keyboard. */
  #muteUntilParsed(): void {
    this.#muted = true;
    queueMicrotask(() => {
      this.#muted = false;
    });
  }
}
