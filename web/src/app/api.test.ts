import { afterEach, describe, expect, test, vi } from 'vitest';
import { Api, ApiError } from './api';

const BASE = new URL('https://box/term/');

/** What never comes: it ends with the request. */
function never(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });
}

function answerWith(answer: (signal: AbortSignal) => Promise<unknown>): void {
  vi.stubGlobal('fetch', (_url: URL, { signal }: { signal: AbortSignal }) => answer(signal));
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('a request', () => {
  test('that nobody answers ends', async () => {
    answerWith(never);
    const failed = await new Api(BASE, 1).ticket('abc').catch((error: unknown) => error);
    expect(failed).toEqual(new ApiError(0, 'the server does not answer'));
  });

  test.each([
    ['stops in the middle', never],
    ['is cut off', () => Promise.reject(new TypeError('network error'))],
  ])('whose answer %s is not taken for an empty one', async (_, text) => {
    answerWith((signal) => Promise.resolve({ ok: true, status: 200, text: () => text(signal) }));
    const failed = await new Api(BASE, 1).sessions().catch((error: unknown) => error);
    expect(failed).toEqual(new ApiError(0, 'the server does not answer'));
  });

  test('that is answered in time is not ended afterwards', async () => {
    let signal: AbortSignal | undefined;
    answerWith((given) => {
      signal = given;
      return Promise.resolve(Response.json([]));
    });
    await expect(new Api(BASE, 60_000).sessions()).resolves.toEqual([]);
    expect(signal?.aborted).toBe(false);
  });
});
