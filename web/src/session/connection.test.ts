import { describe, expect, test } from 'vitest';
import {
  type ClientFrame,
  decodeClientFrame,
  encodeServerFrame,
  type ServerFrame,
  type Welcome,
} from '../protocol';
import { ACK_EVERY_BYTES } from './ack-policy';
import { BACKOFF_MAX_MS } from './backoff';
import { CROWDED_RETRY_MS } from './close-policy';
import { Connection } from './connection';
import type { Effect, Event } from './effect';
import { ANSWER_AFTER_WAKE_MS, ANSWER_MS, FIRST_PING_MS, PING_VISIBLE_MS } from './heartbeat';
import { OFFLINE_BYTES_MAX } from './input-queue';
import { HANDSHAKE_MS, STABLE_MS } from './link-timers';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (raw: Uint8Array) => new TextDecoder().decode(raw);

/** Plays the server: frames go in through `serve`, what the page sends comes out decoded. */
class Bench {
  now = 1_000;
  #clients = 0;
  readonly connection = new Connection({
    newClientId: () => {
      this.#clients += 1;
      return this.#clients.toString(16).padStart(16, '0');
    },
    random: () => 0.5,
  });

  handle(event: Event): readonly Effect[] {
    return this.connection.handle(event, this.now);
  }

  /** What the page sends because of `event`. */
  sends(event: Event): ClientFrame[] {
    return sent(this.handle(event));
  }

  serve(frame: ServerFrame): readonly Effect[] {
    return this.handle({ type: 'message', bytes: encodeServerFrame(frame) });
  }

  type(input: string): ClientFrame[] {
    return this.sends({ type: 'input', bytes: bytes(input) });
  }

  open(): ClientFrame[] {
    return this.sends({ type: 'socket-open' });
  }

  welcome(members: Partial<Welcome> = {}): ClientFrame[] {
    return sent(this.serve({ type: 'welcome', welcome: { ...WELCOME, ...members } }));
  }

  snapshot(offset: number, screen = '$ '): readonly Effect[] {
    return this.serve({
      type: 'snapshot',
      offset,
      size: { cols: 80, rows: 24 },
      bytes: bytes(screen),
    });
  }

  output(offset: number, output: string): readonly Effect[] {
    return this.serve({ type: 'output', offset, bytes: bytes(output) });
  }

  /** Moves time to the deadline and ticks. */
  elapse(): readonly Effect[] {
    this.now = Math.max(this.now, this.connection.deadline ?? this.now);
    return this.handle({ type: 'tick' });
  }

  lose(code = 1006, reason = ''): readonly Effect[] {
    return this.handle({ type: 'socket-closed', code, reason });
  }

  /** A page that shows a session up to offset 100. */
  static live(): Bench {
    const bench = new Bench();
    bench.handle({ type: 'start', window: { cols: 80, rows: 24 } });
    bench.open();
    bench.welcome();
    bench.snapshot(100);
    return bench;
  }

  /** Loses the link, waits, and opens the next socket. Answers what was sent on it. */
  reconnect(): ClientFrame[] {
    this.lose();
    expect(types(this.elapse())).toContain('open');
    return this.open();
  }
}

const WELCOME: Welcome = {
  session: 'abcdefghijklmnop',
  viewer: 7,
  resumed: false,
  offset: 100,
  accepted: 0,
  size: { cols: 80, rows: 24 },
  owner: 7,
  role: 'operator',
  features: [],
  title: 'bash',
  state: 'running',
};

function sent(effects: readonly Effect[]): ClientFrame[] {
  return effects.flatMap((effect) =>
    effect.type === 'send' ? [decodeClientFrame(effect.bytes)] : [],
  );
}

function types(effects: readonly Effect[]): string[] {
  return effects.map((effect) => effect.type);
}

function inputs(frames: readonly ClientFrame[]): [number, string][] {
  return frames.flatMap((frame) =>
    frame.type === 'input' ? [[frame.number, text(frame.bytes)] as [number, string]] : [],
  );
}

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

describe('the link', () => {
  /** A page whose first ping is out. */
  function pinged(): Bench {
    const bench = Bench.live();
    bench.now += FIRST_PING_MS;
    expect(sent(bench.handle({ type: 'tick' }))).toEqual([{ type: 'ping', token: 1n }]);
    return bench;
  }

  test('is measured: the median of the last answers', () => {
    const bench = pinged();
    for (const roundTrip of [42, 900, 40]) {
      bench.now += roundTrip;
      const { silentSince } = bench.connection.status;
      expect(silentSince).toBe(bench.now - roundTrip);
      const token = [42, 900, 40].indexOf(roundTrip) + 1;
      bench.serve({ type: 'pong', token: BigInt(token) });
      bench.now += PING_VISIBLE_MS;
      bench.handle({ type: 'tick' });
    }
    expect(bench.connection.status.roundTrip).toBe(42);
  });

  test('is given up when it owes an answer for too long', () => {
    const bench = pinged();
    bench.now += ANSWER_MS - 1;
    expect(bench.handle({ type: 'tick' })).toEqual([]);
    bench.now += 1;
    expect(types(bench.handle({ type: 'tick' }))).toEqual(['shut']);
    expect(bench.connection.status.phase).toBe('waiting');
  });

  test('any frame proves that it lives', () => {
    const bench = pinged();
    bench.now += ANSWER_MS - 1;
    bench.output(100, 'x');
    bench.now += ANSWER_MS - 1;
    expect(bench.handle({ type: 'tick' })).toEqual([]);
    expect(bench.connection.status.phase).toBe('live');
  });

  test('is asked at once when the page wakes, with less patience', () => {
    const bench = pinged();
    bench.serve({ type: 'pong', token: 1n });
    expect(bench.sends({ type: 'wake' })).toEqual([{ type: 'ping', token: 2n }]);
    bench.now += ANSWER_AFTER_WAKE_MS;
    expect(types(bench.handle({ type: 'tick' }))).toEqual(['shut']);
  });

  test('backs off with jitter, bounded, and starts anew after a good connection', () => {
    const bench = Bench.live();
    const waits: number[] = [];
    for (let failure = 0; failure < 12; failure += 1) {
      bench.lose();
      waits.push((bench.connection.status.retryAt ?? 0) - bench.now);
      bench.elapse();
    }
    expect(waits[0]).toBeLessThan(400);
    expect(waits.every((wait, index) => index === 0 || wait >= (waits[index - 1] ?? 0))).toBe(true);
    expect(Math.max(...waits)).toBeLessThanOrEqual(BACKOFF_MAX_MS);
    bench.open();
    bench.welcome({ resumed: true });
    bench.now += STABLE_MS;
    bench.handle({ type: 'tick' });
    bench.lose();
    expect((bench.connection.status.retryAt ?? 0) - bench.now).toBeLessThan(400);
  });

  test('waking up ends the wait', () => {
    const bench = Bench.live();
    bench.lose();
    expect(types(bench.handle({ type: 'wake' }))).toEqual(['open']);
    expect(bench.connection.status.retryAt).toBeUndefined();
  });

  test('a page in the back/forward cache lets go of its socket and resumes', () => {
    const bench = Bench.live();
    expect(types(bench.handle({ type: 'suspend' }))).toEqual(['shut']);
    expect(bench.connection.deadline).toBeUndefined();
    expect(types(bench.handle({ type: 'wake' }))).toEqual(['open']);
    expect(bench.open()).toMatchObject([{ hello: { resume: 100 } }]);
  });

  test('a refused socket is asked about over HTTP', () => {
    const bench = new Bench();
    bench.handle({ type: 'start' });
    expect(types(bench.lose())).toEqual(['probe']);
    bench.handle({ type: 'probed', answer: 'unclear' });
    expect(bench.connection.status.phase).toBe('waiting');
    bench.handle({ type: 'probed', answer: 'unauthenticated' });
    expect(bench.connection.status.closed).toEqual({ kind: 'unauthenticated' });
  });
});

describe('the end', () => {
  test('exit is final and carries the status', () => {
    const bench = Bench.live();
    const effects = bench.serve({ type: 'exit', exit: { kind: 'code', code: 3 } });
    expect(types(effects)).toEqual(['shut']);
    expect(bench.connection.status.closed).toEqual({
      kind: 'exited',
      exit: { kind: 'code', code: 3 },
    });
    expect(bench.handle({ type: 'wake' })).toEqual([]);
    expect(bench.connection.deadline).toBeUndefined();
  });

  test.each([
    [1000, 'session-closed'],
    [1002, 'broken'],
    [1003, 'broken'],
    [1007, 'broken'],
    [1009, 'broken'],
    [4400, 'broken'],
    [4401, 'unauthenticated'],
    [4403, 'forbidden'],
    [4404, 'session-not-found'],
    [4410, 'session-closed'],
  ])('close code %i is final: %s', (code, kind) => {
    const bench = Bench.live();
    bench.lose(code);
    expect(bench.connection.status.closed?.kind).toBe(kind);
  });

  test('a session that the server closes by itself says why', () => {
    const bench = Bench.live();
    bench.lose(4410, 'closed: nobody watched for 30 min');
    expect(bench.connection.status.closed).toEqual({
      kind: 'session-closed',
      message: 'closed: nobody watched for 30 min',
    });
  });

  test.each([1001, 1006, 1011, 1012, 4408])('close code %i means: come back', (code) => {
    const bench = Bench.live();
    bench.lose(code);
    expect(bench.connection.status.phase).toBe('waiting');
  });

  test('a crowded session is asked again later, and says why', () => {
    const bench = Bench.live();
    bench.serve({ type: 'error', code: 'too_many_viewers', message: '64 viewers are the limit' });
    bench.lose(4429);
    const { retryAt, complaint } = bench.connection.status;
    expect((retryAt ?? 0) - bench.now).toBeGreaterThanOrEqual(CROWDED_RETRY_MS);
    expect(complaint).toBe('64 viewers are the limit');
  });

  test('malformed frames and text messages are not survived', () => {
    const bad: Event[] = [
      { type: 'message', bytes: new Uint8Array() },
      { type: 'message', bytes: Uint8Array.of(0x82, 1, 2) },
      { type: 'text-message' },
    ];
    for (const event of bad) {
      const bench = Bench.live();
      expect(bench.handle(event)).toEqual([{ type: 'shut', code: 4400 }]);
      expect(bench.connection.status.closed?.kind).toBe('broken');
    }
  });

  test('unknown frames and events are ignored', () => {
    const bench = Bench.live();
    expect(bench.handle({ type: 'message', bytes: Uint8Array.of(0xf0, 1, 2) })).toEqual([]);
    expect(bench.serve({ type: 'event', event: { kind: 'other', name: 'later' } })).toEqual([]);
    expect(bench.connection.status.phase).toBe('live');
  });
});
