/** What goes into the connection and what comes out of it. */

import type { WindowSize } from '../protocol';

export type Event =
  /** Connect. The window is absent when the page does not take part in sizing. */
  | { readonly type: 'start'; readonly window?: WindowSize }
  | { readonly type: 'socket-open' }
  | { readonly type: 'message'; readonly bytes: Uint8Array }
  | { readonly type: 'text-message' }
  /** The socket ended by itself. Never reported after `shut`. */
  | { readonly type: 'socket-closed'; readonly code: number; readonly reason: string }
  /** The answer to `probe`. */
  | {
      readonly type: 'probed';
      readonly answer: 'unauthenticated' | 'session-not-found' | 'unclear';
    }
  /** Somebody typed, pasted or used the mouse. */
  | { readonly type: 'input'; readonly bytes: Uint8Array }
  /** Forget the input that nobody has accepted. */
  | { readonly type: 'drop-input' }
  /** The size that this page's window has room for. */
  | { readonly type: 'window'; readonly size: WindowSize }
  /** Make the session's size follow this window now. */
  | { readonly type: 'claim-size' }
  /** The terminal has parsed every byte before `offset`. */
  | { readonly type: 'processed'; readonly epoch: number; readonly offset: number }
  | { readonly type: 'visibility'; readonly visible: boolean }
  /** The network or the page is back, or somebody pressed "retry now". */
  | { readonly type: 'wake' }
  /** The browser freezes the page; `wake` ends it. */
  | { readonly type: 'suspend' }
  /** `Connection.deadline` has passed. */
  | { readonly type: 'tick' };

export type Effect =
  /** Open a socket; the last one is gone. */
  | { readonly type: 'open' }
  | { readonly type: 'send'; readonly bytes: Uint8Array<ArrayBuffer> }
  /** Close the socket and report nothing more of it. */
  | { readonly type: 'shut'; readonly code: number }
  /** Ask over HTTP why the socket was refused. */
  | { readonly type: 'probe' }
  /** Feed the terminal, then report `processed` with `end` and `epoch`. */
  | {
      readonly type: 'output';
      readonly bytes: Uint8Array;
      readonly end: number;
      readonly epoch: number;
    }
  /** Reset the terminal, give it `size` and feed it; then report `processed` with `offset` and `epoch`. */
  | {
      readonly type: 'snapshot';
      readonly bytes: Uint8Array;
      readonly size: WindowSize;
      readonly offset: number;
      readonly epoch: number;
    }
  | { readonly type: 'size'; readonly size: WindowSize }
  /** So many bytes of output will not be shown. */
  | { readonly type: 'skipped'; readonly bytes: number }
  | { readonly type: 'bell' }
  | { readonly type: 'input-refused'; readonly reason: 'full' | 'observer' };
