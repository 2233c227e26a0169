/** What a close code means for this page, `docs/protocol.md` section 9. */

import type { Closed } from './status';

/** Too many viewers: a limit seldom frees within a second. */
export const CROWDED_RETRY_MS = 5_000;

export type CloseVerdict =
  | { readonly kind: 'retry'; readonly atLeast?: number }
  | { readonly kind: 'final'; readonly closed: Closed };

/** `message` is what the server's `error` frame or close reason said; it may be empty. */
export function judgeClose(code: number, message: string): CloseVerdict {
  switch (code) {
    case 1000:
      return final({ kind: 'session-closed', message: '' });
    case 1002:
    case 1003:
    case 1007:
    case 1009:
    case 4400:
      return final({ kind: 'broken', message: message || `close code ${code}` });
    case 4401:
      return final({ kind: 'unauthenticated' });
    case 4403:
      return final({ kind: 'forbidden', message });
    case 4404:
      return final({ kind: 'session-not-found' });
    case 4410:
      return final({ kind: 'session-closed', message });
    case 4429:
      return { kind: 'retry', atLeast: CROWDED_RETRY_MS };
    default:
      return { kind: 'retry' };
  }
}

function final(closed: Closed): CloseVerdict {
  return { kind: 'final', closed };
}
