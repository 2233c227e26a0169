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

/** Somebody, or something, attached to a session. */
export interface ViewerInfo {
  readonly viewer: number;
  readonly name: string;
  /** How it came in: `login`, `link`, `token` and the like. */
  readonly via: string;
  readonly role: 'observer' | 'operator';
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** A share link, without its secret. */
export interface ShareInfo {
  readonly id: number;
  readonly level: ShareLevel;
  readonly label: string;
  readonly passphrase: boolean;
  readonly needsLogin: boolean;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly viewers: number;
  readonly viewersMax: number;
}

export type ShareLevel = 'read' | 'write';

/** What another user may do with a session. */
export interface GrantInfo {
  readonly user: string;
  readonly level: ShareLevel;
}

/** What a new share link shall be. */
export interface NewShare {
  readonly level: ShareLevel;
  /** Seconds. */
  readonly expiresIn: number;
  readonly label: string;
  readonly passphrase: string;
}

/** The secret of a share link, and the word that it may ask for. */
export interface ShareKey {
  readonly secret: string;
  readonly passphrase?: string;
}

/** How somebody can get in. */
export interface Ways {
  /** With a name and a password. */
  readonly passwords: boolean;
  /** By single sign-on; what people call the provider. */
  readonly signOn: string | undefined;
}

export const NO_WAYS: Ways = { passwords: false, signOn: undefined };

/** Subprotocols that open one WebSocket. */
export type Ticket = string;

/** A request that did not do what it should; `status` 0: nobody answered. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** The stable code of the refusal; empty if it has none. */
  readonly code: string;

  constructor(status: number, message: string, code = '') {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** How long an answer may take. The slowest is a new session, which has ten seconds to start. */
const ANSWER_TIME_MS = 15_000;

export class Api {
  readonly #base: URL;
  readonly #answerTimeMs: number;

  /**
   * `base` is where the pages are served from, with a slash at its end. A request that has no whole
   * answer after `answerTimeMs` fails as one that nobody answered: on a network that is gone it
   * would wait for minutes.
   */
  constructor(base: URL, answerTimeMs = ANSWER_TIME_MS) {
    this.#base = base;
    this.#answerTimeMs = answerTimeMs;
  }

  /** Exchanges a one-time secret for a cookie. */
  async launch(secret: string): Promise<void> {
    await this.#request('POST', 'api/auth/launch', { secret });
  }

  /** Logs in with a name and a password, for a cookie. */
  async login(username: string, password: string): Promise<void> {
    await this.#request('POST', 'api/auth/login', { username, password });
  }

  /** The name of whoever has logged in with this browser; undefined for other ways in. */
  async loggedIn(): Promise<string | undefined> {
    const who = record(await this.#request('GET', 'api/auth/current-user'));
    return who.via === 'login' ? sanitiseTitle(text(who.userId)) : undefined;
  }

  /** Ends this browser's login. */
  async logOut(): Promise<void> {
    await this.#request('POST', 'api/auth/logout');
  }

  /** How somebody can get in who is not. */
  async ways(): Promise<Ways> {
    const config = record(await this.#request('GET', 'api/auth/config'));
    const methods: readonly unknown[] = Array.isArray(config.authMethods) ? config.authMethods : [];
    return {
      passwords: methods.includes('password'),
      signOn: methods.includes('oidc') ? sanitiseTitle(text(config.oidcLabel)) : undefined,
    };
  }

  /** Where single sign-on begins, to come back to a session's page or the start page. */
  signOn(session?: string): string {
    const url = new URL('api/auth/oidc/login', this.#base);
    if (session !== undefined) {
      url.searchParams.set('session', session);
    }
    return url.href;
  }

  /** What opens one WebSocket to a session, within seconds. */
  async ticket(session: string): Promise<Ticket> {
    return readTicket(await this.#request('POST', 'api/ws-ticket', { session }));
  }

  /** The same, for whoever has a share link. */
  async redeemShare(key: ShareKey): Promise<Ticket> {
    return readTicket(await this.#request('POST', 'api/share', key));
  }

  async viewers(id: string): Promise<readonly ViewerInfo[]> {
    const list = await this.#request('GET', this.#path(id, 'viewers'));
    return Array.isArray(list) ? list.map(readViewer) : [];
  }

  async setLevel(id: string, viewer: number, level: ShareLevel): Promise<void> {
    await this.#request('PATCH', this.#path(id, 'viewers', viewer), { level });
  }

  async sendAway(id: string, viewer: number): Promise<void> {
    await this.#request('DELETE', this.#path(id, 'viewers', viewer));
  }

  async shares(id: string): Promise<readonly ShareInfo[]> {
    const list = await this.#request('GET', this.#path(id, 'shares'));
    return Array.isArray(list) ? list.map(readShare) : [];
  }

  /** Makes a share link and answers its address, which is shown this once. */
  async share(id: string, wanted: NewShare): Promise<string> {
    const answer = record(await this.#request('POST', this.#path(id, 'shares'), wanted));
    return `${this.page(id)}#share=${text(answer.secret)}`;
  }

  async revokeShare(id: string, share: number): Promise<void> {
    await this.#request('DELETE', this.#path(id, 'shares', share));
  }

  async grants(id: string): Promise<readonly GrantInfo[]> {
    const list = await this.#request('GET', this.#path(id, 'grants'));
    return Array.isArray(list) ? list.map(readGrant) : [];
  }

  async setGrant(id: string, user: string, level: ShareLevel): Promise<void> {
    await this.#request('PUT', this.#path(id, 'grants', encodeURIComponent(user)), { level });
  }

  async removeGrant(id: string, user: string): Promise<void> {
    await this.#request('DELETE', this.#path(id, 'grants', encodeURIComponent(user)));
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

  #path(id: string, ...rest: readonly (string | number)[]): string {
    return ['api/sessions', encodeURIComponent(id), ...rest].join('/');
  }

  async #request(method: string, path: string, body?: object): Promise<unknown> {
    let response: Response;
    let content: string;
    try {
      response = await fetch(new URL(path, this.#base), {
        method,
        credentials: 'same-origin',
        cache: 'no-store',
        signal: AbortSignal.timeout(this.#answerTimeMs),
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
      });
      content = await response.text();
    } catch {
      // Nothing came, or the beginning of an answer, which is none.
      throw new ApiError(0, 'the server does not answer');
    }
    const answer = parse(content);
    if (!response.ok) {
      const code = text(record(answer).code);
      throw new ApiError(response.status, problemText(answer, response.status), code);
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

function readTicket(value: unknown): Ticket {
  const { ticket, subprotocolPrefix } = record(value);
  return text(subprotocolPrefix) + text(ticket);
}

function readViewer(value: unknown): ViewerInfo {
  const viewer = record(value);
  return {
    viewer: count(viewer.viewer),
    name: sanitiseTitle(text(viewer.name)),
    via: text(viewer.via),
    role: viewer.role === 'operator' ? 'operator' : 'observer',
    since: Date.parse(text(viewer.since)),
  };
}

function readShare(value: unknown): ShareInfo {
  const share = record(value);
  return {
    id: count(share.id),
    level: share.level === 'write' ? 'write' : 'read',
    label: sanitiseTitle(text(share.label)),
    passphrase: share.passphrase === true,
    needsLogin: share.needsLogin === true,
    expiresAt: Date.parse(text(share.expiresAt)),
    viewers: count(share.viewers),
    viewersMax: count(share.viewersMax),
  };
}

function readGrant(value: unknown): GrantInfo {
  const grant = record(value);
  return {
    user: sanitiseTitle(text(grant.user)),
    level: grant.level === 'write' ? 'write' : 'read',
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

/** What a JSON text says; undefined if it is none, as what a proxy writes of its own. */
function parse(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
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
