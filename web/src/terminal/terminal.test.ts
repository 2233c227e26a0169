import { describe, expect, test } from 'vitest';
import type { WindowSize } from '../session';
import { FONT_SIZE_MIN, fontThatFits, windowThatFits } from './fit';
import { applyModifiers, encodeBarKey } from './keys';
import { safeLink } from './links';
import { countLines, encodePaste, previewPaste, runsAtOnce, sanitisePaste } from './paste';
import { type ParserHooks, QueryMute } from './query-mute';
import { FEED_BYTES_MAX, PIECE_BYTES_MAX, ScreenFeed } from './screen-feed';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe('paste', () => {
  test.each([
    ['one line', 'one line'],
    ['tab\there', 'tab\there'],
    ['unix\nlines\n', 'unix\rlines\r'],
    ['dos\r\nlines', 'dos\rlines'],
    ['old mac\rlines', 'old mac\rlines'],
    ['separator\u2028line\u2029end', 'separator\rline\rend'],
    ['ls \u001b[201~\rid\r', 'ls [201~\rid\r'],
    ['c1 \u009b201~ \u0085', 'c1 201~ '],
    ['signals \u0003\u0004\u001a\u007f', 'signals '],
    ['nul \u0000', 'nul '],
    ['日本語 👩‍👩‍👧‍👦', '日本語 👩‍👩‍👧‍👦'],
  ])('%j becomes %j', (clipboard, typed) => {
    expect(sanitisePaste(clipboard)).toBe(typed);
  });

  test('no character ends a bracket or acts as a key', () => {
    for (let code = 0; code < 0x3000; code += 1) {
      const typed = sanitisePaste(String.fromCharCode(code));
      expect(/\p{Cc}/u.test(typed.replace(/[\t\r]/g, ''))).toBe(false);
    }
  });

  test('brackets only for programs that asked', () => {
    expect(text(encodePaste('a\rb', true))).toBe('\u001b[200~a\rb\u001b[201~');
    expect(text(encodePaste('a\rb', false))).toBe('a\rb');
  });

  test('counts and shows lines', () => {
    expect(runsAtOnce('ls')).toBe(false);
    expect(runsAtOnce('ls\r')).toBe(true);
    expect(countLines('a\rb')).toBe(2);
    expect(countLines('a\rb\r')).toBe(2);
    expect(previewPaste('a\rb\rc', 2)).toEqual(['a', 'b']);
  });
});

describe('keys', () => {
  const none = { ctrl: false, alt: false };
  test.each([
    ['Escape', none, false, '\u001b'],
    ['Tab', none, false, '\t'],
    ['Tab', { ctrl: false, alt: true }, false, '\u001b\t'],
    ['ArrowUp', none, false, '\u001b[A'],
    ['ArrowUp', none, true, '\u001bOA'],
    ['ArrowLeft', { ctrl: true, alt: false }, true, '\u001b[1;5D'],
    ['ArrowRight', { ctrl: true, alt: true }, false, '\u001b[1;7C'],
  ] as const)('%s with %o', (key, held, applicationCursor, bytes) => {
    expect(encodeBarKey(key, held, applicationCursor)).toBe(bytes);
  });

  test.each([
    ['c', { ctrl: true, alt: false }, '\u0003'],
    ['C', { ctrl: true, alt: false }, '\u0003'],
    ['[', { ctrl: true, alt: false }, '\u001b'],
    [' ', { ctrl: true, alt: false }, '\u0000'],
    ['?', { ctrl: true, alt: false }, '\u007f'],
    ['1', { ctrl: true, alt: false }, '1'],
    ['b', { ctrl: false, alt: true }, '\u001bb'],
    ['x', { ctrl: true, alt: true }, '\u001b\u0018'],
    ['paste', { ctrl: true, alt: true }, 'paste'],
  ] as const)('%j under %o', (typed, held, sent) => {
    expect(applyModifiers(typed, held)).toBe(sent);
  });
});

describe('fit', () => {
  const cell = { width: 8, height: 16 };

  test('whole cells, within the limits of the protocol', () => {
    expect(windowThatFits({ width: 647, height: 399 }, cell)).toEqual({ cols: 80, rows: 24 });
    expect(windowThatFits({ width: 1, height: 1 }, cell)).toEqual({ cols: 2, rows: 1 });
    expect(windowThatFits({ width: 99_999, height: 99_999 }, cell)).toEqual({
      cols: 1_000,
      rows: 500,
    });
  });

  test('shrinks the font for a screen that is larger than the window, never enlarges it', () => {
    const area = { width: 640, height: 384 };
    expect(fontThatFits(area, cell, { cols: 80, rows: 24 }, 14)).toBe(14);
    expect(fontThatFits(area, cell, { cols: 40, rows: 12 }, 14)).toBe(14);
    expect(fontThatFits(area, cell, { cols: 160, rows: 24 }, 14)).toBe(7);
    expect(fontThatFits(area, cell, { cols: 80, rows: 500 }, 14)).toBe(FONT_SIZE_MIN);
  });
});

describe('links', () => {
  test.each([
    ['https://example.org/a?b=c', 'https://example.org/a?b=c'],
    ['http://[::1]:8080/', 'http://[::1]:8080/'],
    ['javascript:alert(1)', undefined],
    ['JaVaScRiPt:alert(1)', undefined],
    ['data:text/html,x', undefined],
    ['file:///etc/passwd', undefined],
    ['vscode://x', undefined],
    ['/relative', undefined],
    ['', undefined],
  ])('%j opens %j', (link, opened) => {
    expect(safeLink(link)).toBe(opened);
  });
});

describe('QueryMute', () => {
  function hooks() {
    const osc = new Map<number, (data: string) => boolean>();
    const csi = new Map<string, (params: readonly unknown[]) => boolean>();
    const nothing = { dispose: () => undefined };
    const parser: ParserHooks = {
      registerCsiHandler: (id, handle) => {
        csi.set(`${id.prefix ?? ''}${id.intermediates ?? ''}${id.final}`, handle);
        return nothing;
      },
      registerDcsHandler: () => nothing,
      registerOscHandler: (ident, handle) => {
        osc.set(ident, handle);
        return nothing;
      },
    };
    return { osc, csi, mute: new QueryMute(parser) };
  }

  test('colours may be set but not asked for', () => {
    const { osc } = hooks();
    expect(osc.get(11)?.('?')).toBe(true);
    expect(osc.get(4)?.('1;?')).toBe(true);
    expect(osc.get(11)?.('#102030')).toBe(false);
  });

  test('focus reports may be turned on, but say nothing by themselves', async () => {
    const { csi, mute } = hooks();
    expect(csi.get('?h')?.([25])).toBe(false);
    expect(mute.muted).toBe(false);
    expect(csi.get('?h')?.([1004])).toBe(false);
    expect(mute.muted).toBe(true);
    await Promise.resolve();
    expect(mute.muted).toBe(false);
  });
});

describe('ScreenFeed', () => {
  /** A terminal that parses when it is told to. */
  class SlowView {
    readonly log: string[] = [];
    readonly #pending: (() => void)[] = [];

    write(bytes: Uint8Array, done: () => void): void {
      this.log.push(`write ${bytes.length}`);
      this.#pending.push(done);
    }
    replace(bytes: Uint8Array, { cols, rows }: WindowSize, done: () => void): void {
      this.log.push(`replace ${bytes.length} ${cols}x${rows}`);
      this.#pending.push(done);
    }
    resize({ cols, rows }: WindowSize): void {
      this.log.push(`resize ${cols}x${rows}`);
    }
    parseOne(): void {
      this.#pending.shift()?.();
    }
    parseAll(): void {
      for (let done = this.#pending.shift(); done; done = this.#pending.shift()) {
        done();
      }
    }
  }

  const chunk = (length: number) => new Uint8Array(length);
  const size = { cols: 80, rows: 24 };

  test('hands over a bounded number of bytes, and reports each as parsed', () => {
    const view = new SlowView();
    const feed = new ScreenFeed(view);
    const parsed: number[] = [];
    for (const index of [0, 1, 2]) {
      feed.write(chunk(FEED_BYTES_MAX), () => parsed.push(index));
    }
    const pieces = FEED_BYTES_MAX / PIECE_BYTES_MAX;
    expect(view.log).toEqual(new Array(pieces).fill(`write ${PIECE_BYTES_MAX}`));
    for (let piece = 0; piece < pieces; piece += 1) {
      view.parseOne();
    }
    expect(view.log).toHaveLength(2 * pieces);
    view.parseAll();
    expect(parsed).toEqual([0, 1, 2]);
  });

  test('pieces end between characters', () => {
    const view = new SlowView();
    const feed = new ScreenFeed(view);
    feed.write(new TextEncoder().encode('x'.concat('\u2014'.repeat(2_000))), () => undefined);
    expect(view.log).toEqual(['write 4096', 'write 1905']);
    feed.write(new TextEncoder().encode('\u2014'.repeat(2_000)), () => undefined);
    expect(view.log.slice(2)).toEqual(['write 4095', 'write 1905']);
  });

  test('a size waits for the output before it and holds the output after it', () => {
    const view = new SlowView();
    const feed = new ScreenFeed(view);
    feed.write(chunk(10), () => undefined);
    feed.resize(size);
    feed.write(chunk(20), () => undefined);
    expect(view.log).toEqual(['write 10']);
    view.parseAll();
    expect(view.log).toEqual(['write 10', 'resize 80x24', 'write 20']);
  });

  test('a snapshot replaces what waits, and comes after what is being parsed', () => {
    const view = new SlowView();
    const feed = new ScreenFeed(view);
    const parsed: string[] = [];
    feed.write(chunk(FEED_BYTES_MAX), () => parsed.push('first'));
    feed.write(chunk(1), () => parsed.push('never'));
    feed.replace(chunk(5), size, () => parsed.push('snapshot'));
    feed.write(chunk(7), () => parsed.push('after'));
    view.parseAll();
    const pieces = new Array(FEED_BYTES_MAX / PIECE_BYTES_MAX).fill(`write ${PIECE_BYTES_MAX}`);
    expect(view.log).toEqual([...pieces, 'replace 5 80x24', 'write 7']);
    expect(parsed).toEqual(['first', 'snapshot', 'after']);
  });

  test('output waits for an empty snapshot too', () => {
    const view = new SlowView();
    const feed = new ScreenFeed(view);
    feed.replace(chunk(0), size, () => undefined);
    feed.resize({ cols: 90, rows: 24 });
    expect(view.log).toEqual(['replace 0 80x24']);
  });
});
