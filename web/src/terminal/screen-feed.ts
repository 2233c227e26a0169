/**
 * The order of what happens to a terminal: output, sizes and snapshots, one after the other. At most a little is
 * handed over at a time, so that a snapshot overtakes the output that it replaces.
 */

import type { WindowSize } from '../session';
import type { TermView } from './term-view';
import { incompleteLength, WholeCharacters } from './whole-characters';

/** Bytes handed to the emulator but not parsed: enough to keep it busy for some frames. */
export const FEED_BYTES_MAX = 131_072;

/**
 * Bytes handed over in one piece. The emulator looks at the clock only between two of them, and there are bytes
 * that cost it a thousand times what others do.
 */
export const PIECE_BYTES_MAX = 4_096;

type Step =
  | { readonly type: 'output'; readonly bytes: Uint8Array; readonly done: () => void }
  | { readonly type: 'size'; readonly size: WindowSize }
  | {
      readonly type: 'snapshot';
      readonly bytes: Uint8Array;
      readonly size: WindowSize;
      readonly done: () => void;
    };

export class ScreenFeed {
  readonly #view: Pick<TermView, 'write' | 'replace' | 'resize'>;
  #steps: Step[] = [];
  #inFlight = 0;
  readonly #whole = new WholeCharacters();

  constructor(view: Pick<TermView, 'write' | 'replace' | 'resize'>) {
    this.#view = view;
  }

  /** Shows output; `done` is called when it is parsed, or never when a snapshot replaces it. */
  write(bytes: Uint8Array, done: () => void): void {
    this.#steps.push({ type: 'output', bytes, done });
    this.#run();
  }

  resize(size: WindowSize): void {
    this.#steps.push({ type: 'size', size });
    this.#run();
  }

  /** Replaces everything, and what still waits to be shown. */
  replace(bytes: Uint8Array, size: WindowSize, done: () => void): void {
    this.#steps = [{ type: 'snapshot', bytes, size, done }];
    this.#run();
  }

  #run(): void {
    let step = this.#steps[0];
    while (step !== undefined && this.#mayRun(step)) {
      this.#steps.shift();
      this.#start(step);
      step = this.#steps[0];
    }
  }

  /** Output may queue up inside the emulator; sizes and snapshots act at once, so all before must be parsed. */
  #mayRun(step: Step): boolean {
    return step.type === 'output' ? this.#inFlight < FEED_BYTES_MAX : this.#inFlight === 0;
  }

  #start(step: Step): void {
    switch (step.type) {
      case 'output': {
        const bytes = this.#whole.take(step.bytes);
        this.#inFlight += bytes.length;
        return this.#writePieces(bytes, () => this.#finish(bytes.length, step.done));
      }
      case 'snapshot': {
        // An empty snapshot is in flight too: what follows must wait for the reset.
        this.#whole.clear();
        const bytes = this.#whole.take(step.bytes);
        const length = Math.max(1, bytes.length);
        this.#inFlight += length;
        return this.#view.replace(bytes, step.size, () => this.#finish(length, step.done));
      }
      case 'size':
        return this.#view.resize(step.size);
    }
  }

  #writePieces(bytes: Uint8Array, done: () => void): void {
    let rest = bytes;
    while (rest.length > PIECE_BYTES_MAX) {
      const cut = PIECE_BYTES_MAX - incompleteLength(rest.subarray(0, PIECE_BYTES_MAX));
      this.#view.write(rest.subarray(0, cut), () => undefined);
      rest = rest.subarray(cut);
    }
    this.#view.write(rest, done);
  }

  #finish(length: number, done: () => void): void {
    this.#inFlight -= length;
    done();
    this.#run();
  }
}
