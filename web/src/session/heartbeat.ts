/**
 * Pings: the round trip for the latency chip, and the proof that the link lives. A TCP connection can be dead for
 * minutes before a browser says so.
 */

/** Between two pings while somebody looks at the page, and while nobody does. */
export const PING_VISIBLE_MS = 5_000;
export const PING_HIDDEN_MS = 30_000;
/** The first ping waits until the page has drawn the snapshot: what it measures should be the link. */
export const FIRST_PING_MS = 500;
/** A link that owes an answer for so long is dead. */
export const ANSWER_MS = 10_000;
/** The same after waking up, when a dead link is likely. */
export const ANSWER_AFTER_WAKE_MS = 3_000;

/** The round trip shown is the median of so many samples: one busy moment does not move it. */
const SAMPLES = 5;

export class Heartbeat {
  #token = 0n;
  /** The ping that has no answer yet: when it was sent, and when its silence is a verdict. */
  #asked: { readonly at: number; deadAt: number } | undefined;
  #nextPingAt = Number.POSITIVE_INFINITY;
  #period = PING_VISIBLE_MS;
  #patience = ANSWER_MS;
  #samples: number[] = [];

  /** Median round trip in milliseconds. */
  get roundTrip(): number | undefined {
    const sorted = this.#samples.toSorted((a, b) => a - b);
    return sorted[Math.floor((sorted.length - 1) / 2)];
  }

  /** Since when an answer is missing. */
  get silentSince(): number | undefined {
    return this.#asked?.at;
  }

  /** When `poll` wants to be called next. */
  get deadline(): number {
    return this.#asked?.deadAt ?? this.#nextPingAt;
  }

  setVisible(visible: boolean, now: number): void {
    this.#period = visible ? PING_VISIBLE_MS : PING_HIDDEN_MS;
    if (this.#running) {
      this.#nextPingAt = Math.min(this.#nextPingAt, now + this.#period);
    }
  }

  /** The connection is up. Another network may lie below it: what was measured before is forgotten. */
  start(now: number): void {
    this.stop();
    this.#samples = [];
    this.#nextPingAt = now + FIRST_PING_MS;
  }

  stop(): void {
    this.#asked = undefined;
    this.#patience = ANSWER_MS;
    this.#nextPingAt = Number.POSITIVE_INFINITY;
  }

  /** The page woke up: ask now, and wait for less long. */
  wake(now: number): void {
    if (this.#running) {
      this.stop();
      this.#nextPingAt = now;
      this.#patience = ANSWER_AFTER_WAKE_MS;
    }
  }

  /** Any frame proves that the link lives. */
  handleFrame(now: number): void {
    if (this.#asked !== undefined) {
      this.#asked.deadAt = now + ANSWER_MS;
    }
  }

  handlePong(token: bigint, now: number): void {
    if (token !== this.#token || this.#asked === undefined) {
      return;
    }
    this.#samples = [...this.#samples, now - this.#asked.at].slice(-SAMPLES);
    this.#asked = undefined;
    this.#patience = ANSWER_MS;
    this.#nextPingAt = now + this.#period;
  }

  /** What is due at `now`: a ping with its token, the verdict that the link is dead, or nothing. */
  poll(now: number): { readonly ping: bigint } | 'dead' | undefined {
    if (this.#asked !== undefined) {
      return now >= this.#asked.deadAt ? 'dead' : undefined;
    }
    if (now < this.#nextPingAt) {
      return undefined;
    }
    this.#token += 1n;
    this.#asked = { at: now, deadAt: now + this.#patience };
    return { ping: this.#token };
  }

  get #running(): boolean {
    return this.#asked !== undefined || this.#nextPingAt !== Number.POSITIVE_INFINITY;
  }
}
