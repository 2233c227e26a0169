/** When to give up waiting, when to try again, and when a connection has proved to be good. */

import { Backoff } from './backoff';

/** A socket that does not open, or a server that does not answer hello, has failed after this long. */
export const HANDSHAKE_MS = 10_000;
/** A connection that held for so long was good: the next failure starts the backoff anew. */
export const STABLE_MS = 5_000;

export class LinkTimers {
  readonly #backoff: Backoff;
  #retryAt: number | undefined;
  #handshakeBy: number | undefined;
  #stableAt: number | undefined;

  /** `random` answers numbers from 0 to below 1. */
  constructor(random: () => number) {
    this.#backoff = new Backoff(random);
  }

  /** When the next try is due, while there is no socket. */
  get retryAt(): number | undefined {
    return this.#retryAt;
  }

  /** The earliest of all times that are set. */
  get deadline(): number {
    const times = [this.#retryAt, this.#handshakeBy, this.#stableAt];
    return Math.min(...times.map((time) => time ?? Number.POSITIVE_INFINITY));
  }

  /** A socket is being opened. */
  startHandshake(now: number): void {
    this.clear();
    this.#handshakeBy = now + HANDSHAKE_MS;
  }

  /** Hello was answered. */
  finishHandshake(now: number): void {
    this.clear();
    this.#stableAt = now + STABLE_MS;
  }

  /** There is no socket; the next try waits at least `atLeast` milliseconds. */
  wait(now: number, atLeast?: number): void {
    this.clear();
    this.#retryAt = now + this.#backoff.next(atLeast);
  }

  clear(): void {
    this.#retryAt = undefined;
    this.#handshakeBy = undefined;
    this.#stableAt = undefined;
  }

  /** Somebody is there, or all is well: the next failure is a first one. */
  forgetFailures(): void {
    this.#stableAt = undefined;
    this.#backoff.reset();
  }

  /** What is due at `now`. */
  poll(now: number): 'retry' | 'give-up' | undefined {
    if (this.#retryAt !== undefined && now >= this.#retryAt) {
      return 'retry';
    }
    if (this.#handshakeBy !== undefined && now >= this.#handshakeBy) {
      return 'give-up';
    }
    if (this.#stableAt !== undefined && now >= this.#stableAt) {
      this.forgetFailures();
    }
    return undefined;
  }
}
