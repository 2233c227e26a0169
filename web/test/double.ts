/** A server of `hither.v1` and of the HTTP API that does what a test says: it can lie, stall and hang up. */

import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { SUBPROTOCOL } from '../src/protocol';
import { DoubleSession } from './double-session';

const DIST = new URL('../dist/', import.meta.url);

/** What the gateway sends with every page. */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types',
].join('; ');

const TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

const COOKIE = 'hither=good';

export class Double {
  readonly sessions = new Map<string, DoubleSession>();
  /** One use, as in the real server. */
  secret: string | undefined;
  /** Whether requests need the cookie. */
  guarded = false;
  /** Who has logged in, if somebody has. */
  user: string | undefined;
  /** Whether anybody answers at all. */
  reachable = true;
  /** Every path and query that was asked for. */
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  #count = 0;

  private constructor() {
    this.#server = createServer((request, response) => this.#handle(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  static async start(): Promise<Double> {
    const double = new Double();
    await new Promise<void>((done) => double.#server.listen(0, '127.0.0.1', done));
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  add(name: string, members: Partial<DoubleSession['facts']> = {}): DoubleSession {
    const id = idOf(name);
    const session = new DoubleSession(id, members);
    this.sessions.set(id, session);
    return session;
  }

  /** The address of a session's page. */
  page(name: string): string {
    return `${this.url}s/${idOf(name)}`;
  }

  async stop(): Promise<void> {
    for (const session of this.sessions.values()) {
      session.hangUp();
    }
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.url);
    this.requests.push(url.pathname + url.search);
    if (!this.reachable) {
      request.socket.destroy();
    } else if (url.pathname.startsWith('/api/')) {
      void this.#handleApi(request, url, response);
    } else {
      serveFile(/^\/s\/[^/]+$/.test(url.pathname) ? 's/index.html' : url.pathname, response);
    }
  }

  async #handleApi(request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> {
    const route = `${request.method} ${url.pathname.replace(/^\/api\/sessions\/.+/, '/api/sessions/ID')}`;
    if (route === 'POST /api/auth/launch') {
      const { secret } = (await bodyOf(request)) as { secret?: string };
      const good = secret !== undefined && secret === this.secret;
      this.secret = good ? undefined : this.secret;
      return good
        ? void response
            .writeHead(204, { 'Set-Cookie': `${COOKIE}; HttpOnly; SameSite=Strict; Path=/` })
            .end()
        : problem(response, 401, 'secret was used or is wrong');
    }
    if (route === 'GET /api/auth/current-user') {
      const { user } = this;
      return json(response, 200, { userId: user ?? 'me', via: user ? 'login' : 'no-auth' });
    }
    if (route === 'POST /api/auth/logout') {
      Object.assign(this, { user: undefined, guarded: true });
      return void response.writeHead(204).end();
    }
    if (route === 'GET /api/auth/config') {
      return json(response, 200, { authMethods: ['launch', 'token'] });
    }
    if (!this.#admits(request)) {
      return problem(response, 401, 'credentials missing');
    }
    switch (route) {
      case 'POST /api/ws-ticket':
        return json(response, 200, { ticket: 'good', subprotocolPrefix: 'hither.ticket.' });
      case 'GET /api/config':
        return json(response, 200, { version: '0.1.0-double' });
      case 'GET /api/sessions':
        return json(
          response,
          200,
          [...this.sessions.values()].map((session) => session.facts),
        );
      case 'POST /api/sessions': {
        const name = `new${'abcdefgh'.charAt(this.#count)}`;
        this.#count += 1;
        const window = (await bodyOf(request)) as { cols?: number; rows?: number };
        return json(response, 201, this.add(name, window).facts);
      }
      case 'DELETE /api/sessions/ID': {
        const id = decodeURIComponent(url.pathname.split('/').pop() ?? '');
        this.sessions.get(id)?.hangUp(4410);
        this.sessions.delete(id);
        return void response.writeHead(204).end();
      }
      default:
        return problem(response, 404, 'no such resource');
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const id = new URL(request.url ?? '/', this.url).searchParams.get('session') ?? '';
    if (!this.reachable) {
      socket.destroy();
      return;
    }
    if (!this.#admits(request)) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (connection) => {
      const session = this.sessions.get(id);
      if (session === undefined) {
        connection.close(4404);
      } else {
        session.attach(connection);
      }
    });
  }

  #admits(request: IncomingMessage): boolean {
    return !this.guarded || (request.headers.cookie ?? '').includes(COOKIE);
  }
}

/** Session ids have 16 characters; names of tests are shorter. */
export function idOf(name: string): string {
  return name.padEnd(16, 'a');
}

function serveFile(path: string, response: ServerResponse): void {
  const name = path === '/' ? 'index.html' : path.replace(/^\//, '');
  const headers = {
    'Content-Security-Policy': CSP,
    'Content-Type': TYPES[name.split('.').pop() ?? ''] ?? 'application/octet-stream',
    'Content-Encoding': 'br',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  };
  try {
    const body = readFileSync(new URL(`${name}.br`, DIST));
    response.writeHead(200, headers).end(body);
  } catch {
    response.writeHead(404).end();
  }
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

function problem(response: ServerResponse, status: number, detail: string): void {
  json(response, status, { type: 'about:blank', title: 'No', status, code: 'no', detail });
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  return JSON.parse(Buffer.concat(chunks).toString() || '{}');
}
