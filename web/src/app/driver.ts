/** Gives the connection state machine its sockets, its clock and the events of the page. */

import { SUBPROTOCOL } from '../protocol';
import { Connection, type Effect, type Event, type Status } from '../session';
import type { Disposable } from '../terminal';

/** Effects that are about the session rather than the socket. */
export type SessionEffect = Exclude<Effect, { readonly type: 'open' | 'send' | 'shut' | 'probe' }>;

export type ProbeAnswer = (Event & { type: 'probed' })['answer'];

/** What browsers say of a socket that never opened (RFC 6455 section 7.1.5). */
const CLOSE_ABNORMAL = 1006;

export interface DriverHost {
  handleEffect(effect: SessionEffect): void;
  /** Called after every event that may have changed it. */
  handleStatus(status: Status): void;
  /** Asks for what lets one socket in, a subprotocol. May fail; then `probe` finds out why. */
  ticket(): Promise<string>;
  /** Finds out why a socket was refused. Must not fail. */
  probe(): Promise<ProbeAnswer>;
}

export class Driver implements Disposable {
  readonly #url: string;
  readonly #host: DriverHost;
  readonly #abort = new AbortController();
  readonly #connection = new Connection({ newClientId, random: Math.random });
  #socket: WebSocket | undefined;
  /** What the present socket is opened, or about to be opened, for. */
  #attempt: object | undefined;
  #timer: number | undefined;

  constructor(url: string, host: DriverHost) {
    this.#url = url;
    this.#host = host;
    this.#listenToPage();
  }

  /** Hands an event to the connection and does what it answers. */
  dispatch(event: Event): void {
    const effects = this.#connection.handle(event, performance.now());
    for (const effect of effects) {
      this.#run(effect);
    }
    this.#schedule();
    this.#host.handleStatus(this.#connection.status);
  }

  dispose(): void {
    this.#abort.abort();
    window.clearTimeout(this.#timer);
    this.#shut(1000);
  }

  #run(effect: Effect): void {
    switch (effect.type) {
      case 'open':
        return this.#open();
      case 'send':
        return this.#send(effect.bytes);
      case 'shut':
        return this.#shut(effect.code);
      case 'probe':
        void this.#host.probe().then((answer) => this.dispatch({ type: 'probed', answer }));
        return;
      case 'output':
      case 'snapshot':
      case 'size':
      case 'skipped':
      case 'bell':
      case 'input-refused':
        return this.#host.handleEffect(effect);
    }
  }

  /**
   * The other end may have closed the socket a moment before its event comes: what is sent then is lost, input is
   * sent again on the next one, and the browser would complain.
   */
  #send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(bytes);
    }
  }

  #open(): void {
    this.#shut(1000);
    const attempt = {};
    this.#attempt = attempt;
    // A newer attempt, or the end of all, makes the answer to this one worthless.
    const when = (act: () => void) => {
      if (this.#attempt === attempt) {
        act();
      }
    };
    this.#host.ticket().then(
      (ticket) => when(() => this.#connect(ticket)),
      () => when(() => this.dispatch({ type: 'socket-closed', code: CLOSE_ABNORMAL, reason: '' })),
    );
  }

  #connect(ticket: string): void {
    const socket = new WebSocket(this.#url, [SUBPROTOCOL, ticket]);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    // A socket that was shut says nothing more: only the present one is listened to.
    const when = (event: Event) => {
      if (this.#socket === socket) {
        this.dispatch(event);
      }
    };
    socket.onopen = () => when({ type: 'socket-open' });
    socket.onmessage = ({ data }: MessageEvent<ArrayBuffer | string>) =>
      when(
        typeof data === 'string'
          ? { type: 'text-message' }
          : { type: 'message', bytes: new Uint8Array(data) },
      );
    socket.onclose = ({ code, reason }) => {
      if (this.#socket === socket) {
        this.#socket = undefined;
        this.dispatch({ type: 'socket-closed', code, reason });
      }
    };
  }

  #shut(code: number): void {
    this.#attempt = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close(code);
  }

  #schedule(): void {
    window.clearTimeout(this.#timer);
    const { deadline } = this.#connection;
    this.#timer =
      deadline === undefined
        ? undefined
        : window.setTimeout(
            () => this.dispatch({ type: 'tick' }),
            Math.max(0, Math.ceil(deadline - performance.now())),
          );
  }

  #listenToPage(): void {
    const options = { signal: this.#abort.signal };
    const wake = () => this.dispatch({ type: 'wake' });
    window.addEventListener('online', wake, options);
    document.addEventListener('resume', wake, options);
    document.addEventListener(
      'visibilitychange',
      () => this.dispatch({ type: 'visibility', visible: !document.hidden }),
      options,
    );
    // Into the back/forward cache, where an open socket would keep the page from going, and out of it.
    window.addEventListener(
      'pagehide',
      ({ persisted }) => persisted && this.dispatch({ type: 'suspend' }),
      options,
    );
    window.addEventListener('pageshow', ({ persisted }) => persisted && wake(), options);
  }
}

/** 64 random bits as 16 hex digits. */
function newClientId(): string {
  const bits = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bits, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
