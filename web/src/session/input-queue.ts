/**
 * Input that the server has not accepted yet. Frames keep their numbers until they are accepted, so that the
 * server can drop what it already had: every byte typed reaches the program exactly once.
 */

import { FRAME_BYTES_MAX } from '../protocol';

/** Most bytes on the wire without `input-ack`; what is beyond waits here, unnumbered. */
export const IN_FLIGHT_BYTES_MAX = 1_048_576;
/** Most bytes held while there is no connection: typing, not an archive. */
export const OFFLINE_BYTES_MAX = 1_048_576;
/** Most bytes held while connected: the largest paste. */
export const ONLINE_BYTES_MAX = 64 * 1_048_576;

export interface NumberedInput {
  readonly number: number;
  readonly bytes: Uint8Array;
}

export class InputQueue {
  /** Numbered, perhaps sent, not accepted; consecutive numbers. */
  #numbered: NumberedInput[] = [];
  #numberedBytes = 0;
  /** Not numbered yet. Each item is at most one frame long. */
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #nextNumber = 1;

  /** Bytes that no acknowledgement covers. */
  get pendingBytes(): number {
    return this.#numberedBytes + this.#waitingBytes;
  }

  /** Bytes that were never sent. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Whether dropping would abandon numbers that the server may have accepted. */
  get hasNumbered(): boolean {
    return this.#numbered.length > 0;
  }

  /** Takes all of `bytes`, or nothing when the total would exceed `limit`. Says which. */
  push(bytes: Uint8Array, limit: number): boolean {
    if (this.pendingBytes + bytes.length > limit) {
      return false;
    }
    for (let at = 0; at < bytes.length; at += FRAME_BYTES_MAX) {
      this.#waiting.push(bytes.slice(at, at + FRAME_BYTES_MAX));
    }
    this.#waitingBytes += bytes.length;
    return true;
  }

  /** Numbers what fits on the wire and returns it for sending, in order. */
  take(): NumberedInput[] {
    const taken: NumberedInput[] = [];
    let count = 0;
    for (const bytes of this.#waiting) {
      if (this.#numberedBytes + bytes.length > IN_FLIGHT_BYTES_MAX && this.#numbered.length > 0) {
        break;
      }
      const input = { number: this.#nextNumber, bytes };
      this.#nextNumber += 1;
      this.#numberedBytes += bytes.length;
      this.#waitingBytes -= bytes.length;
      this.#numbered.push(input);
      taken.push(input);
      count += 1;
    }
    this.#waiting.splice(0, count);
    return taken;
  }

  /** Forgets every input up to and including number `accepted`. */
  accept(accepted: number): void {
    const first = this.#numbered.findIndex((input) => input.number > accepted);
    const done = this.#numbered.splice(0, first < 0 ? this.#numbered.length : first);
    this.#numberedBytes -= done.reduce((sum, input) => sum + input.bytes.length, 0);
  }

  /**
   * A new connection: the server has accepted up to `accepted`. Returns what must be sent again. A server that
   * knows less than it once acknowledged (it lost its memory) gets the rest under the numbers it expects.
   */
  resend(accepted: number): readonly NumberedInput[] {
    this.accept(accepted);
    this.#numbered = this.#numbered.map(({ bytes }, index) => ({
      number: accepted + 1 + index,
      bytes,
    }));
    this.#nextNumber = accepted + 1 + this.#numbered.length;
    return this.#numbered;
  }

  /** Drops what was never sent: the rest of a paste. Numbers are untouched. */
  dropWaiting(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  /** Drops everything and starts again at 1: only under a new client id. */
  restart(): void {
    this.dropWaiting();
    this.#numbered = [];
    this.#numberedBytes = 0;
    this.#nextNumber = 1;
  }
}
