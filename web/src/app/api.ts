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
  readonly ended: string | undefined;
  readonly failed: boolean;
}

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
  const { exitCode, exitSignal } = session;
  return {
    id: text(session.id),
    title: sanitiseTitle(text(session.title)),
    command: sanitiseTitle(words(session.command)),
    cwd: sanitiseTitle(text(session.cwd)),
    size: { cols: count(session.cols), rows: count(session.rows) },
    createdAt: Date.parse(text(session.createdAt)),
    viewers: count(session.clients),
    ended: session.status === 'exited' ? ending(exitCode, exitSignal) : undefined,
    failed: exitCode !== undefined ? exitCode !== 0 : exitSignal !== undefined,
  };
}

function ending(code: unknown, signal: unknown): string {
  if (typeof code === 'number') {
    return `Exited with ${code}`;
  }
  return typeof signal === 'string' ? `Ended by ${sanitiseTitle(signal)}` : 'Ended';
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A command may be one string or its words. */
function words(value: unknown): string {
  return Array.isArray(value) ? value.map(text).join(' ') : text(value);
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}
