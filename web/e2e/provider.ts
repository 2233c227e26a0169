/** A real provider of OpenID Connect: npm's oidc-provider, which is certified. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { Provider as OidcProvider } from 'oidc-provider';

/** The client that the provider knows, as `dist/` and docs/deploy.md call it. */
export const CLIENT = { id: 'hither', secret: 'a secret for tests only' } as const;

/** Whoever gives a name there is let in, with any password; what these people are allowed here. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  ada: ['staff'],
  grace: ['staff', 'operations'],
  mallory: ['visitors'],
};

export class Provider {
  readonly issuer: string;
  readonly #server: Server;

  private constructor(server: Server, issuer: string) {
    this.#server = server;
    this.issuer = issuer;
  }

  /** Listens, so that its address is known; it answers once it knows where people come back to. */
  static async listen(): Promise<Provider> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') {
      throw new Error('no port');
    }
    return new Provider(server, `http://localhost:${address.port}`);
  }

  /** Serves the gateway whose pages are below `base`. */
  serve(base: string): void {
    const provider = new OidcProvider(this.issuer, {
      clients: [
        {
          client_id: CLIENT.id,
          client_secret: CLIENT.secret,
          redirect_uris: [new URL('api/auth/oidc/callback', base).href],
        },
      ],
      claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
      cookies: { keys: ['for tests only'] },
      findAccount: (_, id) => ({
        accountId: id,
        claims: () => ({ sub: id, preferred_username: id, groups: GROUPS[id] ?? [] }),
      }),
    });
    this.#server.on('request', provider.callback());
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
