/** A TCP relay between a browser and a gateway that can be cut, or go silent as a dead network does. */

import { connect, createServer, type Server, type Socket } from 'node:net';

export class Cuttable {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #mode: 'open' | 'refusing' | 'silent' = 'open';

  private constructor(target: number) {
    this.#server = createServer((near) => {
      if (this.#mode === 'refusing') {
        near.destroy();
        return;
      }
      const far = connect(target, '127.0.0.1');
      const pair = [near, far] as const;
      this.#pairs.add(pair);
      const end = () => {
        this.#pairs.delete(pair);
        near.destroy();
        far.destroy();
      };
      this.#relay(near, far, end);
      this.#relay(far, near, end);
    });
  }

  static async start(target: number): Promise<Cuttable> {
    const relay = new Cuttable(target);
    await new Promise<void>((done) => relay.#server.listen(0, '127.0.0.1', done));
    return relay;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Ends every connection and refuses new ones. */
  cut(): void {
    this.#mode = 'refusing';
    for (const [near, far] of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  /** Carries nothing any more and says nothing about it: connections seem to be alive. */
  goSilent(): void {
    this.#mode = 'silent';
  }

  /** Carries again what is new; what went silent stays silent. */
  mend(): void {
    this.#mode = 'open';
  }

  stop(): void {
    this.cut();
    this.#server.close();
  }

  #relay(from: Socket, to: Socket, end: () => void): void {
    let lost = false;
    from.on('data', (chunk) => {
      lost ||= this.#mode === 'silent';
      if (!lost) {
        to.write(chunk);
      }
    });
    from.on('error', end);
    from.on('close', end);
  }
}
