import { describe, expect, test } from 'vitest';
import { Bench, bytes, inputs, sent, types } from '../../test/connection-bench';
import type { ClientFrame } from '../protocol';
import { ACK_EVERY_BYTES } from './ack-policy';
import { OFFLINE_BYTES_MAX } from './input-queue';
import { HANDSHAKE_MS } from './link-timers';

describe('attach', () => {
  test('says hello with the window and without resume, then waits for the snapshot', () => {
    const bench = new Bench();
    expect(types(bench.handle({ type: 'start', window: { cols: 80, rows: 24 } }))).toEqual([
      'open',
    ]);
    expect(bench.connection.status.phase).toBe('connecting');
    const [hello] = bench.open();
    expect(hello).toEqual({
      type: 'hello',
      hello: {
        client: '0000000000000001',
        size: { cols: 80, rows: 24 },
        role: 'operator',
        features: [],
      },
    });
    bench.welcome();
    expect(bench.connection.status.phase).toBe('syncing');
    expect(bench.snapshot(100)).toMatchObject([
      { type: 'snapshot', offset: 100, size: { cols: 80, rows: 24 } },
    ]);
    expect(bench.connection.status).toMatchObject({ phase: 'live', title: 'bash', owner: 'self' });
  });

  test('gives up a socket that does not open, and a server that does not answer', () => {
    const bench = new Bench();
    bench.handle({ type: 'start' });
    bench.now += HANDSHAKE_MS;
    expect(types(bench.handle({ type: 'tick' }))).toEqual(['shut']);
    expect(bench.connection.status.phase).toBe('waiting');
    bench.elapse();
    bench.open();
    bench.now += HANDSHAKE_MS;
    expect(types(bench.handle({ type: 'tick' }))).toEqual(['shut']);
  });

  test('output before the snapshot is a hole: the page connects again', () => {
    const bench = new Bench();
    bench.handle({ type: 'start' });
    bench.open();
    bench.welcome();
    expect(types(bench.output(100, 'x'))).toEqual(['shut']);
    expect(bench.connection.status.phase).toBe('waiting');
  });
});

describe('resume', () => {
  test('asks for the byte after the last one and goes on without a snapshot', () => {
    const bench = Bench.live();
    bench.output(100, 'hello');
    const [hello] = bench.reconnect();
    expect(hello).toMatchObject({ type: 'hello', hello: { resume: 105 } });
    bench.welcome({ resumed: true, offset: 105 });
    expect(bench.connection.status.phase).toBe('live');
    expect(bench.output(105, 'more')).toMatchObject([{ type: 'output', end: 109 }]);
  });

  test('a gap is announced, output waits for its snapshot', () => {
    const bench = Bench.live();
    bench.reconnect();
    bench.welcome({ resumed: false, offset: 5_000 });
    expect(bench.serve({ type: 'gap', from: 100, to: 5_000 })).toEqual([
      { type: 'skipped', bytes: 4_900 },
    ]);
    expect(bench.connection.status.phase).toBe('behind');
    expect(types(bench.snapshot(5_000))).toEqual(['snapshot']);
    expect(types(bench.output(5_000, 'x'))).toEqual(['output']);
  });

  test('typing goes on while the page is behind', () => {
    const bench = Bench.live();
    bench.serve({ type: 'gap', from: 100, to: 200 });
    expect(inputs(bench.type('\u0003'))).toEqual([[1, '\u0003']]);
  });

  test('a hole or a repetition in the output is never shown', () => {
    for (const offset of [99, 101]) {
      const bench = Bench.live();
      expect(types(bench.output(offset, 'x'))).toEqual(['shut']);
      bench.elapse();
      expect(bench.open()).toMatchObject([{ hello: { resume: 100 } }]);
    }
  });

  test('a server that resumes elsewhere is asked for a snapshot', () => {
    const bench = Bench.live();
    bench.reconnect();
    bench.welcome({ resumed: true, offset: 90 });
    bench.elapse();
    const [hello] = bench.open();
    expect(hello).not.toHaveProperty('hello.resume');
  });

  test('the session of another life may start at a lower offset', () => {
    const bench = Bench.live();
    bench.reconnect();
    bench.welcome({ resumed: false, offset: 3 });
    bench.snapshot(3);
    expect(types(bench.output(3, 'x'))).toEqual(['output']);
  });
});

describe('input', () => {
  test('is numbered from 1 and kept until accepted', () => {
    const bench = Bench.live();
    expect(inputs(bench.type('a'))).toEqual([[1, 'a']]);
    expect(inputs(bench.type('b'))).toEqual([[2, 'b']]);
    expect(bench.connection.status.pendingInput).toBe(2);
    bench.serve({ type: 'input-ack', accepted: 1, settled: 0 });
    expect(bench.connection.status.pendingInput).toBe(1);
  });

  test('is sent again after a reconnect, but for what the server accepted', () => {
    const bench = Bench.live();
    bench.type('a');
    bench.type('b');
    bench.type('c');
    bench.lose();
    bench.type('d');
    bench.elapse();
    expect(inputs(bench.open())).toEqual([]);
    const again = bench.welcome({ resumed: true, offset: 100, accepted: 2 });
    expect(inputs(again)).toEqual([
      [3, 'c'],
      [4, 'd'],
    ]);
    expect(inputs(bench.type('e'))).toEqual([[5, 'e']]);
  });

  test('nothing is sent twice on one connection', () => {
    const bench = Bench.live();
    const numbers: number[] = [];
    const note = (frames: ClientFrame[]) => numbers.push(...inputs(frames).map(([n]) => n));
    note(bench.type('a'));
    note(sent(bench.serve({ type: 'input-ack', accepted: 1, settled: 0 })));
    note(bench.type('b'));
    note(sent(bench.serve({ type: 'input-ack', accepted: 1, settled: 1 })));
    expect(numbers).toEqual([1, 2]);
  });

  test('a server that forgot this client gets the rest from the number it expects', () => {
    const bench = Bench.live();
    bench.type('a');
    bench.serve({ type: 'input-ack', accepted: 1, settled: 1 });
    bench.type('b');
    bench.reconnect();
    expect(inputs(bench.welcome({ resumed: true, offset: 100, accepted: 0 }))).toEqual([[1, 'b']]);
    expect(inputs(bench.type('c'))).toEqual([[2, 'c']]);
  });

  test('offline input is bounded, and refused rather than lost silently', () => {
    const bench = Bench.live();
    bench.lose();
    const big = new Uint8Array(OFFLINE_BYTES_MAX);
    expect(bench.handle({ type: 'input', bytes: big })).toEqual([]);
    expect(bench.handle({ type: 'input', bytes: bytes('x') })).toEqual([
      { type: 'input-refused', reason: 'full' },
    ]);
    expect(bench.connection.status.pendingInput).toBe(OFFLINE_BYTES_MAX);
  });

  test('dropped input is never sent; the next goes under a new client id', () => {
    const bench = Bench.live();
    bench.type('sent before');
    bench.lose();
    bench.type('rm -r');
    bench.handle({ type: 'drop-input' });
    expect(bench.connection.status.pendingInput).toBe(0);
    bench.elapse();
    const [hello] = bench.open();
    expect(hello).toMatchObject({ hello: { client: '0000000000000002' } });
    expect(inputs(bench.welcome({ resumed: true, offset: 100, accepted: 0 }))).toEqual([]);
    expect(inputs(bench.type('ls'))).toEqual([[1, 'ls']]);
  });

  test('an observer does not type', () => {
    const bench = Bench.live();
    bench.type('as an operator');
    bench.reconnect();
    const sentAsObserver = bench.welcome({ resumed: true, role: 'observer' });
    expect(inputs(sentAsObserver)).toEqual([]);
    expect(bench.handle({ type: 'input', bytes: bytes('x') })).toEqual([
      { type: 'input-refused', reason: 'observer' },
    ]);
  });
});

describe('flow', () => {
  test('acks a snapshot at once, then every 8 KiB, and nothing from before a snapshot', () => {
    const bench = Bench.live();
    const processed = (epoch: number, offset: number) =>
      bench.sends({ type: 'processed', epoch, offset });
    expect(processed(1, 100)).toEqual([{ type: 'ack', offset: 100 }]);
    expect(processed(1, 100 + ACK_EVERY_BYTES - 1)).toEqual([]);
    expect(processed(1, 100 + ACK_EVERY_BYTES)).toEqual([{ type: 'ack', offset: 8_292 }]);
    expect(processed(1, 100 + ACK_EVERY_BYTES + 1)).toEqual([]);
    bench.serve({ type: 'gap', from: 100, to: 200 });
    bench.snapshot(200);
    expect(processed(1, 100_000)).toEqual([]);
    expect(processed(2, 200)).toEqual([{ type: 'ack', offset: 200 }]);
    expect(processed(2, 200 + ACK_EVERY_BYTES)).toHaveLength(1);
  });

  test('sends the window once per change, and applies only the size that the server states', () => {
    const bench = Bench.live();
    const window = (cols: number) => bench.sends({ type: 'window', size: { cols, rows: 24 } });
    expect(window(80)).toEqual([]);
    expect(window(100)).toEqual([{ type: 'resize', size: { cols: 100, rows: 24 } }]);
    expect(bench.connection.status.size).toEqual({ cols: 80, rows: 24 });
    expect(bench.serve({ type: 'size', size: { cols: 100, rows: 24 }, owner: 9 })).toEqual([
      { type: 'size', size: { cols: 100, rows: 24 } },
    ]);
    expect(bench.connection.status.owner).toBe('other');
  });
});
