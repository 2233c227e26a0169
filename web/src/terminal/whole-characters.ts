/**
 * Holds back a UTF-8 character whose end has not come. xterm.js 6.0.0 keeps an incomplete character itself, but
 * loses it when the next of its bytes is 0x80, as in the quotation marks and dashes of U+2010 to U+203F.
 */

/** Bytes at the end of `bytes` that begin a character which does not end there: 0 to 3. */
export function incompleteLength(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) {
      return 0;
    }
    if (byte >= 0xc0) {
      return byte <= 0xf4 && characterLength(byte) > back ? back : 0;
    }
  }
  return 0;
}

function characterLength(first: number): number {
  if (first >= 0xf0) {
    return 4;
  }
  return first >= 0xe0 ? 3 : 2;
}

export class WholeCharacters {
  #held: Uint8Array = new Uint8Array();

  /** What may be shown now: whole characters only, in order. */
  take(bytes: Uint8Array): Uint8Array {
    const all = this.#held.length === 0 ? bytes : joined(this.#held, bytes);
    const shown = all.length - incompleteLength(all);
    this.#held = all.slice(shown);
    return all.subarray(0, shown);
  }

  /** What was held back is replaced by a snapshot. */
  clear(): void {
    this.#held = new Uint8Array();
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
