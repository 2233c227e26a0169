import { describe, expect, test } from 'vitest';
import { FRAME_BYTES_MAX } from '../protocol';
import { BACKOFF_BASE_MS, BACKOFF_MAX_MS, BACKOFF_MIN_MS, Backoff } from './backoff';
import { IN_FLIGHT_BYTES_MAX, InputQueue, ONLINE_BYTES_MAX } from './input-queue';
import { sanitiseTitle, TITLE_CHARS_MAX } from './title';

describe('Backoff', () => {
  test('every wait lies between the floor and a ceiling that doubles', () => {
    for (const random of [0, 0.5, 0.999_999]) {
      const backoff = new Backoff(() => random);
      for (let failure = 0; failure < 40; failure += 1) {
        const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** failure);
        const wait = backoff.next();
        expect(wait).toBeGreaterThanOrEqual(BACKOFF_MIN_MS);
        expect(wait).toBeLessThanOrEqual(ceiling);
      }
    }
  });
});

describe('InputQueue', () => {
  test('cuts input into frames, and keeps the rest of a long paste off the wire', () => {
    const queue = new InputQueue();
    const paste = new Uint8Array(3 * IN_FLIGHT_BYTES_MAX + 5).map((_, index) => index % 251);
    expect(queue.push(paste, ONLINE_BYTES_MAX)).toBe(true);
    const received: Uint8Array[] = [];
    let accepted = 0;
    for (let batch = queue.take(); batch.length > 0; batch = queue.take()) {
      const inFlight = queue.pendingBytes - queue.waitingBytes;
      expect(inFlight).toBeLessThanOrEqual(IN_FLIGHT_BYTES_MAX);
      for (const { number, bytes } of batch) {
        accepted += 1;
        expect(number).toBe(accepted);
        expect(bytes.length).toBeLessThanOrEqual(FRAME_BYTES_MAX);
        received.push(bytes);
      }
      queue.accept(accepted);
    }
    expect(Buffer.concat(received).equals(paste)).toBe(true);
    expect(queue.pendingBytes).toBe(0);
  });

  test('does not keep a view into the bytes of its caller', () => {
    const queue = new InputQueue();
    const typed = Uint8Array.of(1);
    queue.push(typed, ONLINE_BYTES_MAX);
    typed[0] = 2;
    expect(queue.take()).toEqual([{ number: 1, bytes: Uint8Array.of(1) }]);
  });

  test('an ack for more than was sent forgets what there is', () => {
    const queue = new InputQueue();
    queue.push(Uint8Array.of(1), ONLINE_BYTES_MAX);
    queue.take();
    queue.accept(99);
    expect(queue.pendingBytes).toBe(0);
  });
});

describe('sanitiseTitle', () => {
  test.each([
    ['plain', 'plain'],
    ['  many \t\n spaces ', 'many spaces'],
    ['bell\u0007esc\u001b[31m', 'bell esc [31m'],
    ['c1 \u009b31m csi', 'c1 31m csi'],
    ['bidi \u202egnp.exe\u202c', 'bidi gnp.exe'],
    ['zero\u200bwidth\ufeff', 'zerowidth'],
    ['isolate \u2066x\u2069', 'isolate x'],
    ['tag \u{e0041}', 'tag'],
    ['half \ud83d', 'half'],
    ['<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>'],
    ['family 👩‍👩‍👧‍👦', 'family 👩‍👩‍👧‍👦'],
    ['日本語', '日本語'],
  ])('%j becomes %j', (title, shown) => {
    expect(sanitiseTitle(title)).toBe(shown);
  });

  test('a megabyte becomes a line', () => {
    const shown = sanitiseTitle('𝒳'.repeat(500_000));
    expect(Array.from(shown)).toHaveLength(TITLE_CHARS_MAX);
    expect(shown.endsWith('…')).toBe(true);
  });
});
