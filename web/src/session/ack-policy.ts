/** When to tell the server how far the terminal has got, `docs/protocol.md` section 4, `ack`. */

/** Bytes processed between two acks: often enough for a good estimate of the link, seldom enough to be free. */
export const ACK_EVERY_BYTES = 8_192;

export class AckPolicy {
  #acknowledged = 0;
  #processed = 0;
  /** The last snapshot is not acknowledged: the server sends no other one before it is. */
  #snapshotDue = false;

  /** Output starts again at `offset` with a snapshot: nothing before it needs an ack. */
  restart(offset: number): void {
    this.#acknowledged = offset;
    this.#processed = offset;
    this.#snapshotDue = true;
  }

  /** A new connection counts from what is processed already. */
  reconnect(): void {
    this.#acknowledged = this.#processed;
    this.#snapshotDue = false;
  }

  /** The terminal has parsed every byte before `offset`. Answers the offset to acknowledge now, if any. */
  handleProcessed(offset: number): number | undefined {
    this.#processed = Math.max(this.#processed, offset);
    if (!this.#snapshotDue && this.#processed - this.#acknowledged < ACK_EVERY_BYTES) {
      return undefined;
    }
    this.#snapshotDue = false;
    this.#acknowledged = this.#processed;
    return this.#processed;
  }
}
