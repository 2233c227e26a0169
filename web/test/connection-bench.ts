/** What the tests of the connection share: a server that they play. */
import { expect } from 'vitest';
import {
  type ClientFrame,
  decodeClientFrame,
  encodeServerFrame,
  type ServerFrame,
  type Welcome,
} from '../src/protocol';
import { Connection } from '../src/session/connection';
import type { Effect, Event } from '../src/session/effect';

export const bytes = (text: string) => new TextEncoder().encode(text);
export const text = (raw: Uint8Array) => new TextDecoder().decode(raw);

/** Plays the server: frames go in through `serve`, what the page sends comes out decoded. */
export class Bench {
  now = 1_000;
  #clients = 0;
  readonly connection = new Connection({
    newClientId: () => {
      this.#clients += 1;
      return this.#clients.toString(16).padStart(16, '0');
    },
    random: () => 0.5,
  });

  handle(event: Event): readonly Effect[] {
    return this.connection.handle(event, this.now);
  }

  /** What the page sends because of `event`. */
  sends(event: Event): ClientFrame[] {
    return sent(this.handle(event));
  }

  serve(frame: ServerFrame): readonly Effect[] {
    return this.handle({ type: 'message', bytes: encodeServerFrame(frame) });
  }

  type(input: string): ClientFrame[] {
    return this.sends({ type: 'input', bytes: bytes(input) });
  }

  open(): ClientFrame[] {
    return this.sends({ type: 'socket-open' });
  }

  welcome(members: Partial<Welcome> = {}): ClientFrame[] {
    return sent(this.serve({ type: 'welcome', welcome: { ...WELCOME, ...members } }));
  }

  snapshot(offset: number, screen = '$ '): readonly Effect[] {
    return this.serve({
      type: 'snapshot',
      offset,
      size: { cols: 80, rows: 24 },
      bytes: bytes(screen),
    });
  }

  output(offset: number, output: string): readonly Effect[] {
    return this.serve({ type: 'output', offset, bytes: bytes(output) });
  }

  /** Moves time to the deadline and ticks. */
  elapse(): readonly Effect[] {
    this.now = Math.max(this.now, this.connection.deadline ?? this.now);
    return this.handle({ type: 'tick' });
  }

  lose(code = 1006, reason = ''): readonly Effect[] {
    return this.handle({ type: 'socket-closed', code, reason });
  }

  /** A page that shows a session up to offset 100. */
  static live(): Bench {
    const bench = new Bench();
    bench.handle({ type: 'start', window: { cols: 80, rows: 24 } });
    bench.open();
    bench.welcome();
    bench.snapshot(100);
    return bench;
  }

  /** Loses the link, waits, and opens the next socket. Answers what was sent on it. */
  reconnect(): ClientFrame[] {
    this.lose();
    expect(types(this.elapse())).toContain('open');
    return this.open();
  }
}

export const WELCOME: Welcome = {
  session: 'abcdefghijklmnop',
  viewer: 7,
  resumed: false,
  offset: 100,
  accepted: 0,
  size: { cols: 80, rows: 24 },
  owner: 7,
  role: 'operator',
  features: [],
  title: 'bash',
  state: 'running',
};

export function sent(effects: readonly Effect[]): ClientFrame[] {
  return effects.flatMap((effect) =>
    effect.type === 'send' ? [decodeClientFrame(effect.bytes)] : [],
  );
}

export function types(effects: readonly Effect[]): string[] {
  return effects.map((effect) => effect.type);
}

export function inputs(frames: readonly ClientFrame[]): [number, string][] {
  return frames.flatMap((frame) =>
    frame.type === 'input' ? [[frame.number, text(frame.bytes)] as [number, string]] : [],
  );
}
