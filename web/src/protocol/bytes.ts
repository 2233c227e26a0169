/** Big-endian reading and writing of one frame. */

/** What was wrong with a frame: always the sender's mistake. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

const HIGH_WORD = 2 ** 32;
const SAFE_HIGH = 2 ** 21;

/** Reads the fields of one frame in order; every read is checked against the end of the frame. */
export class ByteReader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  /** A `u64` below 2^53; the protocol promises that bound for offsets, numbers and ids. */
  u64(): number {
    const at = this.#take(8);
    const high = this.#view.getUint32(at);
    if (high >= SAFE_HIGH) {
      throw new FrameError('number is not below 2^53');
    }
    return high * HIGH_WORD + this.#view.getUint32(at + 4);
  }

  /** Any 64 bits. */
  token(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  /** Everything that is left, as a view into the frame (nothing is copied). */
  rest(): Uint8Array {
    const rest = this.#bytes.subarray(this.#at);
    this.#at = this.#bytes.length;
    return rest;
  }

  /** Fails when the frame is longer than its type allows. */
  end(): void {
    if (this.#at !== this.#bytes.length) {
      throw new FrameError(`frame has ${this.#bytes.length - this.#at} bytes too many`);
    }
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) {
      throw new FrameError('frame ends before its fields do');
    }
    this.#at = at + count;
    return at;
  }
}

/** Writes the fields of one frame whose length is known beforehand. */
export class ByteWriter {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #at = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  u8(value: number): this {
    this.#view.setUint8(this.#at, value);
    this.#at += 1;
    return this;
  }

  u16(value: number): this {
    this.#view.setUint16(this.#at, value);
    this.#at += 2;
    return this;
  }

  u64(value: number): this {
    this.#view.setUint32(this.#at, Math.floor(value / HIGH_WORD));
    this.#view.setUint32(this.#at + 4, value % HIGH_WORD);
    this.#at += 8;
    return this;
  }

  token(value: bigint): this {
    this.#view.setBigUint64(this.#at, value);
    this.#at += 8;
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }
}
