import { describe, expect, test } from 'vitest';
import { incompleteLength, WholeCharacters } from './whole-characters';

const encoder = new TextEncoder();

describe('whole characters', () => {
  test('come out as they went in, wherever they are cut', () => {
    const text = encoder.encode('a‘quote’ – é한😀👩‍👩‍👧 end');
    for (let first = 0; first <= text.length; first += 1) {
      for (let second = first; second <= text.length; second += 1) {
        const whole = new WholeCharacters();
        const parts = [text.slice(0, first), text.slice(first, second), text.slice(second)];
        const shown = parts.map((part) => whole.take(part).slice());
        expect(shown.map(incompleteLength)).toEqual([0, 0, 0]);
        expect(Buffer.concat(shown)).toEqual(Buffer.from(text));
      }
    }
  });

  test('bytes that are no UTF-8 are not held back', () => {
    for (const bytes of [[0x80], [0xbf, 0xbf, 0xbf, 0xbf], [0xff], [0xf8, 0x80], [0x61, 0xfe]]) {
      expect(incompleteLength(new Uint8Array(bytes))).toBe(0);
    }
  });

  test('a snapshot replaces what was held back', () => {
    const whole = new WholeCharacters();
    expect(whole.take(new Uint8Array([0xe2, 0x80]))).toHaveLength(0);
    whole.clear();
    expect(whole.take(encoder.encode('x'))).toEqual(encoder.encode('x'));
  });
});
