/** Where the page stands in the session's output, and what it has told the server about it. */

import type { ServerFrame } from '../protocol';
import { AckPolicy } from './ack-policy';
import type { Effect } from './effect';

export class OutputCursor {
  readonly #acks = new AckPolicy();
  #offset: number | undefined;
  /** Counts snapshots: progress with output from before one says nothing about what came after it. */
  #epoch = 0;

  /** The next output byte that the terminal has not been given; undefined before the first snapshot. */
  get offset(): number | undefined {
    return this.#offset;
  }

  /** Gives contiguous output to the terminal; undefined when `offset` is not where the stream stands. */
  take(offset: number, bytes: Uint8Array): Effect | undefined {
    if (offset !== this.#offset) {
      return undefined;
    }
    this.#offset = offset + bytes.length;
    return { type: 'output', bytes, end: this.#offset, epoch: this.#epoch };
  }

  /** The stream goes on from a snapshot. */
  restart({ offset, size, bytes }: ServerFrame & { type: 'snapshot' }): Effect {
    this.#epoch += 1;
    this.#offset = offset;
    this.#acks.restart(offset);
    return { type: 'snapshot', bytes, size, offset, epoch: this.#epoch };
  }

  /** The terminal got so far. Answers the offset to acknowledge now, if any. */
  handleProcessed(epoch: number, offset: number): number | undefined {
    return epoch === this.#epoch ? this.#acks.handleProcessed(offset) : undefined;
  }

  reconnect(): void {
    this.#acks.reconnect();
  }

  /** The next connection asks for a snapshot. */
  forget(): void {
    this.#offset = undefined;
  }
}
