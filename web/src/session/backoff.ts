/** Exponential backoff with full jitter: a herd of pages does not come back in one beat. */

/** Ceiling of the first wait, in milliseconds: a gateway that restarts is back within it. */
export const BACKOFF_BASE_MS = 400;
/** Ceiling of every wait. */
export const BACKOFF_MAX_MS = 15_000;
/** Below this a retry would only be a busy loop. */
export const BACKOFF_MIN_MS = 50;

export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  /** `random` answers numbers from 0 to below 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The wait before the next try, in milliseconds, at least `atLeast`. */
  next(atLeast = BACKOFF_MIN_MS): number {
    const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    return atLeast + this.#random() * Math.max(0, ceiling - atLeast);
  }

  reset(): void {
    this.#failures = 0;
  }
}
