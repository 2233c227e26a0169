/** A real gateway in a fresh folder. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const BINARY =
  process.env.HITHER_BIN ?? fileURLToPath(new URL('../../target/debug/hither', import.meta.url));

export class Gateway {
  /** Home of the shells; they start there. */
  readonly home: string;
  readonly #runtime: string;
  #process: ChildProcess | undefined;
  readonly #options: string[];
  #url: URL | undefined;

  private constructor(options: string[]) {
    this.#options = options;
    const folder = mkdtempSync(join(tmpdir(), 'hither-e2e-'));
    this.home = join(folder, 'home');
    this.#runtime = join(folder, 'run');
    mkdirSync(this.home);
    mkdirSync(this.#runtime, { mode: 0o700 });
    // The same prompt everywhere, and nothing of the person who runs the tests.
    writeFileSync(join(this.home, '.bashrc'), "PS1='ready> '\nunset HISTFILE PROMPT_COMMAND\n");
    writeFileSync(join(this.home, '.inputrc'), 'set enable-bracketed-paste on\n');
  }

  /** Starts one with these options of `hither serve` besides its own. */
  static async start(...options: string[]): Promise<Gateway> {
    return Gateway.at(0, ...options);
  }

  /** The same on a port that something else has to know. */
  static async at(port: number, ...options: string[]): Promise<Gateway> {
    const gateway = new Gateway(options);
    await gateway.start(`${port}`);
    return gateway;
  }

  /** The address that was printed, with its one-time secret. */
  get launchUrl(): string {
    return this.#known().href;
  }

  get port(): string {
    return this.#known().port;
  }

  /** The start page. */
  get origin(): string {
    return `${this.#known().origin}/`;
  }

  /** Starts the program on `port`; sessions of an earlier one go on. */
  async start(port = this.port): Promise<void> {
    const args = ['serve', '--port', port, '--runtime-dir', this.#runtime, '--shell', '/bin/bash'];
    const child = spawn(BINARY, [...args, '--cwd', this.home, ...this.#options], {
      cwd: this.home,
      env: { ...process.env, HOME: this.home, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process = child;
    for await (const line of createInterface({ input: child.stdout })) {
      const [address] = /https?:\/\/\S+#t=\S+/.exec(line) ?? [];
      if (address !== undefined) {
        this.#url = new URL(address);
        child.stdout.resume();
        return;
      }
    }
    throw new Error(`${BINARY} printed no address`);
  }

  /** A fresh address with a secret of its own. */
  freshUrl(): string {
    return this.#run(['url']).trim();
  }

  /** Adds a user, as its administrator would. */
  addUser(name: string, password: string): void {
    this.#run(['user', 'add', name, '--password-stdin'], `${password}\n`);
  }

  /** What programs of the same user show. */
  token(): string {
    return readFileSync(join(this.#runtime, 'token'), 'utf8').trim();
  }

  /** As a crash does: no time to say goodbye. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends every session, then the gateway, and removes the folder. */
  async stop(): Promise<void> {
    try {
      this.#run(['kill', '--all']);
    } finally {
      await this.#end('SIGTERM');
      rmSync(join(this.home, '..'), { recursive: true, force: true });
    }
  }

  #run(args: string[], input = ''): string {
    const options = { encoding: 'utf8', input } as const;
    return execFileSync(BINARY, [...args, '--runtime-dir', this.#runtime], options);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await once(child, 'exit');
    }
  }

  #known(): URL {
    if (this.#url === undefined) {
      throw new Error('the gateway has not printed its address');
    }
    return this.#url;
  }
}
