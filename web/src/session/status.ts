/** What a connection is doing, as the page shows it. */

import type { Exit, Role, WindowSize } from '../protocol';

/**
 * - `connecting`: a socket is being opened
 * - `syncing`: hello is sent; welcome or snapshot is missing
 * - `live`: output is contiguous
 * - `behind`: the server skipped output; its snapshot is missing
 * - `waiting`: no socket; the next try has a time
 * - `suspended`: the page is frozen by the browser
 * - `closed`: for good, `Status.closed` says why
 */
export type Phase =
  | 'connecting'
  | 'syncing'
  | 'live'
  | 'behind'
  | 'waiting'
  | 'suspended'
  | 'closed';

/** Why a connection is closed for good. */
export type Closed =
  | { readonly kind: 'exited'; readonly exit: Exit }
  /** `message` is the server's reason; it may be empty. */
  | { readonly kind: 'session-closed'; readonly message: string }
  | { readonly kind: 'session-not-found' }
  | { readonly kind: 'unauthenticated' }
  | { readonly kind: 'forbidden'; readonly message: string }
  | { readonly kind: 'broken'; readonly message: string };

/** A picture of the connection. Times are in the clock of `handle`'s `now`, in milliseconds. */
export interface Status {
  readonly phase: Phase;
  /** Set exactly when `phase` is `closed`. */
  readonly closed: Closed | undefined;
  /** When the next try is made; set exactly when `phase` is `waiting`. */
  readonly retryAt: number | undefined;
  /** What the server said when it refused the last connection. */
  readonly complaint: string | undefined;
  /** Whether the session was ever shown: a first attach and a reconnect read differently. */
  readonly attached: boolean;
  /** Median round trip in milliseconds; undefined until the first answer. */
  readonly roundTrip: number | undefined;
  /** Since when the server owes an answer; undefined when it owes none. */
  readonly silentSince: number | undefined;
  readonly title: string;
  readonly viewers: number | undefined;
  readonly size: WindowSize | undefined;
  /** Whose window the size follows. */
  readonly owner: 'self' | 'other' | 'nobody';
  readonly role: Role;
  /** Bytes of input that no `input-ack` covers yet. */
  readonly pendingInput: number;
}
