import { describe, expect, test } from 'vitest';
import { Bench, sent, types } from '../../test/connection-bench';
import { BACKOFF_MAX_MS } from './backoff';
import { CROWDED_RETRY_MS } from './close-policy';
import type { Event } from './effect';
import { ANSWER_AFTER_WAKE_MS, ANSWER_MS, FIRST_PING_MS, PING_VISIBLE_MS } from './heartbeat';
import { STABLE_MS } from './link-timers';

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
