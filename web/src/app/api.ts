/** The HTTP API as far as the pages use it. */

import { sanitiseTitle, type WindowSize } from '../session';

export interface SessionInfo {
  readonly id: string;
  readonly title: string;
  readonly command: string;
  readonly cwd: string;
  readonly size: WindowSize;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly viewers: number;
  /** How the child ended; undefined while it runs. */
  readonly ended: Ending | undefined;
}

/** As the `exit` frame, but that a signal has no name here. */
export type Ending =
  | { readonly kind: 'code'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: number }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'lost' };

type JsonRecord = Readonly<Record<string, unknown>>;

/** A request that did not do what it should; `status` 0: nobody answered. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export class Api {
  readonly #base: URL;

  /** `base` is where the pages are served from, with a slash at its end. */
  constructor(base: URL) {
    this.#base = base;
  }

  /** Exchanges a one-time secret for a cookie. */
  async launch(secret: string): Promise<void> {
    await this.#request('POST', 'api/auth/launch', { secret });
  }

  async version(): Promise<string> {
    const config = await this.#request('GET', 'api/config');
    return sanitiseTitle(text(record(config).version));
  }

  async sessions(): Promise<readonly SessionInfo[]> {
    const list = await this.#request('GET', 'api/sessions');
    return Array.isArray(list) ? list.map(readSession) : [];
  }

  async create(window: WindowSize): Promise<SessionInfo> {
    return readSession(await this.#request('POST', 'api/sessions', { ...window }));
  }

  async close(id: string): Promise<void> {
    await this.#request('DELETE', `api/sessions/${encodeURIComponent(id)}`);
  }

  /** The page of a session. */
  page(id: string): string {
    return new URL(`s/${encodeURIComponent(id)}`, this.#base).href;
  }

  /** The start page. */
  get start(): string {
    return this.#base.href;
  }

  /** The WebSocket of a session. */
  socket(id: string): string {
    const url = new URL('ws', this.#base);
    url.protocol = url.protocol.replace('http', 'ws');
    url.searchParams.set('session', id);
    return url.href;
  }

  async #request(method: string, path: string, body?: object): Promise<unknown> {
    let response: Response;
    try {
      response = await fetch(new URL(path, this.#base), {
        method,
        credentials: 'same-origin',
        cache: 'no-store',
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
      });
    } catch {
      throw new ApiError(0, 'the server does not answer');
    }
    const answer: unknown = await response.json().catch(() => undefined);
    if (!response.ok) {
      throw new ApiError(response.status, problemText(answer, response.status));
    }
    return answer;
  }
}

/** What a problem document (RFC 9457) says to a person. */
function problemText(answer: unknown, status: number): string {
  const { detail, title } = record(answer);
  return sanitiseTitle(text(detail) || text(title)) || `the server answered ${status}`;
}

function readSession(value: unknown): SessionInfo {
  const session = record(value);
  const ended = session.status === 'exited' ? readExit(record(session.exit)) : undefined;
  return {
    id: text(session.id),
    title: sanitiseTitle(text(session.title)),
    command: sanitiseTitle(text(session.command)),
    cwd: sanitiseTitle(text(session.cwd)),
    size: { cols: count(session.cols), rows: count(session.rows) },
    createdAt: Date.parse(text(session.createdAt)),
    viewers: count(session.clients),
    ended,
  };
}

function readExit({ code, signal, lost }: JsonRecord): Ending {
  if (typeof code === 'number') {
    return { kind: 'code', code };
  }
  if (typeof signal === 'number') {
    return { kind: 'signal', signal };
  }
  return { kind: lost === true ? 'lost' : 'unknown' };
}

function record(value: unknown): JsonRecord {
  return typeof value === 'object' && value !== null ? (value as JsonRecord) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}
