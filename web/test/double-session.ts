/** One session of the double: a log of output, the input that it took, and its viewers. */

import type { WebSocket } from 'ws';
import {
  decodeClientFrame,
  type Exit,
  encodeServerFrame,
  type Hello,
  type ServerFrame,
} from '../src/protocol';

interface Viewer {
  readonly id: number;
  readonly socket: WebSocket;
  readonly hello: Hello;
}

export class DoubleSession {
  readonly facts;
  /** Every input byte, in order, each once. */
  received = Buffer.alloc(0);
  /** Offsets that viewers acknowledged. */
  readonly acks: number[] = [];
  readonly hellos: Hello[] = [];
  /** Whether input comes back as output. */
  echo = false;
  /** Whether pings are answered. */
  answersPings = true;
  /** Whether input is acknowledged. */
  acknowledges = true;
  /** Output before this offset is gone. */
  historyStart = 0;
  owner = 0;
  #log = Buffer.alloc(0);
  readonly #viewers = new Map<WebSocket, Viewer>();
  readonly #accepted = new Map<string, number>();
  #nextViewer = 1;
  readonly #waiters = new Set<() => void>();

  constructor(id: string, members: object) {
    this.facts = {
      id,
      title: 'bash',
      command: 'bash',
      cwd: '/home/ada',
      cols: 80,
      rows: 24,
      createdAt: new Date().toISOString(),
      updatedAt: new Date().toISOString(),
      status: 'running',
      active: true,
      clients: 0,
      ...members,
    } as Record<string, unknown> & { id: string; title: string; cols: number; rows: number };
  }

  attach(socket: WebSocket): void {
    socket.binaryType = 'nodebuffer';
    socket.on('message', (data: Buffer) => this.#handleFrame(socket, data));
    socket.on('close', () => {
      this.#viewers.delete(socket);
      this.#announceViewers();
      this.#changed();
    });
  }

  /** Output for everybody. */
  emit(output: string | Buffer): void {
    const bytes = Buffer.from(output);
    for (let at = 0; at < bytes.length; at += 65_536) {
      const chunk = bytes.subarray(at, at + 65_536);
      const offset = this.#log.length;
      this.#log = Buffer.concat([this.#log, chunk]);
      this.broadcast({ type: 'output', offset, bytes: chunk });
    }
  }

  /** Output that is gone before anybody is sent it, and the screen that it left. */
  skip(count: number, screen: string): void {
    this.historyStart = this.#log.length + count;
    this.#log = Buffer.concat([this.#log, Buffer.alloc(count), Buffer.from(screen)]);
  }

  resize(cols: number, rows: number, owner: number): void {
    Object.assign(this.facts, { cols, rows });
    this.owner = owner;
    this.broadcast({ type: 'size', size: { cols, rows }, owner });
  }

  setTitle(title: string): void {
    this.facts.title = title;
    this.broadcast({ type: 'event', event: { kind: 'title', title } });
  }

  ring(): void {
    this.broadcast({ type: 'event', event: { kind: 'bell' } });
  }

  exit(exit: Exit): void {
    Object.assign(this.facts, { status: 'exited' });
    this.broadcast({ type: 'exit', exit });
    this.hangUp(1000);
  }

  /** Ends every connection; without a code, as a cut cable does. */
  hangUp(code?: number): void {
    for (const socket of this.#viewers.keys()) {
      if (code === undefined) {
        socket.terminate();
      } else {
        socket.close(code);
      }
    }
  }

  broadcast(frame: ServerFrame): void {
    for (const { socket } of this.#viewers.values()) {
      socket.send(encodeServerFrame(frame));
    }
  }

  get viewerCount(): number {
    return this.#viewers.size;
  }

  /** Resolves when `holds` does; looks again after everything that a viewer does. */
  async until(holds: (session: DoubleSession) => boolean): Promise<void> {
    while (!holds(this)) {
      await new Promise<void>((wake) => this.#waiters.add(wake));
    }
  }

  #handleFrame(socket: WebSocket, data: Buffer): void {
    const frame = decodeClientFrame(data);
    switch (frame.type) {
      case 'hello':
        this.#welcome(socket, frame.hello);
        break;
      case 'input':
        this.#take(socket, frame.number, frame.bytes);
        break;
      case 'resize':
        this.resize(frame.size.cols, frame.size.rows, this.#viewers.get(socket)?.id ?? 0);
        break;
      case 'ack':
        this.acks.push(frame.offset);
        break;
      case 'ping':
        if (this.answersPings) {
          socket.send(encodeServerFrame({ type: 'pong', token: frame.token }));
        }
        break;
      case 'unknown':
        throw new Error(`the page sent a frame of type ${frame.id}`);
    }
    this.#changed();
  }

  #welcome(socket: WebSocket, hello: Hello): void {
    const viewer = { id: this.#nextViewer, socket, hello };
    this.#nextViewer += 1;
    this.#viewers.set(socket, viewer);
    this.hellos.push(hello);
    const resumed =
      hello.resume !== undefined &&
      hello.resume >= this.historyStart &&
      hello.resume <= this.#log.length;
    if (this.owner === 0) {
      Object.assign(this.facts, hello.size);
    }
    const { id: session, title, cols, rows } = this.facts;
    const offset = resumed ? hello.resume : this.#log.length;
    const send = (frame: ServerFrame) => socket.send(encodeServerFrame(frame));
    send({
      type: 'welcome',
      welcome: {
        session,
        viewer: viewer.id,
        resumed,
        offset,
        accepted: this.#accepted.get(hello.client) ?? 0,
        size: { cols, rows },
        owner: this.owner === 0 ? viewer.id : this.owner,
        role: 'operator',
        features: [],
        title,
        state: 'running',
      },
    });
    if (resumed) {
      const missed = this.#log.subarray(offset);
      if (missed.length > 0) {
        send({ type: 'output', offset, bytes: missed });
      }
    } else {
      if (hello.resume !== undefined && hello.resume < offset) {
        send({ type: 'gap', from: hello.resume, to: offset });
      }
      // All of the log that is left is a snapshot of sorts, as long as it is short.
      const bytes = this.#log.subarray(this.historyStart);
      send({ type: 'snapshot', offset, size: { cols, rows }, bytes });
    }
    this.#announceViewers();
  }

  #take(socket: WebSocket, number: number, bytes: Uint8Array): void {
    const client = this.#viewers.get(socket)?.hello.client ?? '';
    const accepted = this.#accepted.get(client) ?? 0;
    if (number > accepted + 1) {
      throw new Error(`input ${number} came after ${accepted}`);
    }
    if (number === accepted + 1) {
      this.#accepted.set(client, number);
      this.received = Buffer.concat([this.received, bytes]);
      if (this.echo) {
        this.emit(Buffer.from(bytes));
      }
    }
    if (this.acknowledges) {
      socket.send(encodeServerFrame({ type: 'input-ack', accepted: number, settled: number }));
    }
  }

  #announceViewers(): void {
    this.facts.clients = this.#viewers.size;
    this.broadcast({ type: 'event', event: { kind: 'viewers', count: this.#viewers.size } });
  }

  #changed(): void {
    const waiting = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiting) {
      wake();
    }
  }
}
