/**
 * One page's connection to one session, as a pure state machine: events and the time go in, effects come out.
 * Sockets, timers and the terminal belong to the driver. `docs/protocol.md` is the law that it keeps.
 */

import {
  type ClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  FrameError,
  type ServerFrame,
  type Welcome,
  type WindowSize,
} from '../protocol';
import { judgeClose } from './close-policy';
import type { Effect, Event } from './effect';
import { Heartbeat } from './heartbeat';
import { InputQueue, OFFLINE_BYTES_MAX, ONLINE_BYTES_MAX } from './input-queue';
import { LinkTimers } from './link-timers';
import { OutputCursor } from './output-cursor';
import { Picture } from './picture';
import type { Closed, Phase, Status } from './status';
import { sanitiseTitle } from './title';

/** Close code of the page's own making, when the server broke the protocol. */
const CLOSE_BAD_FRAME = 4400;
const CLOSE_NORMAL = 1000;

export interface ConnectionOptions {
  /** Answers a fresh client id: 16 hex digits. */
  readonly newClientId: () => string;
  /** Answers numbers from 0 to below 1. */
  readonly random: () => number;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #timers: LinkTimers;
  readonly #input = new InputQueue();
  readonly #output = new OutputCursor();
  readonly #picture = new Picture();
  readonly #heartbeat = new Heartbeat();
  #effects: Effect[] = [];

  #client: string;
  #phase: Phase = 'suspended';
  #closed: Closed | undefined;
  /** Whether hello was answered on the present socket. */
  #welcomed = false;
  #window: WindowSize | undefined;
  #complaint: string | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#timers = new LinkTimers(options.random);
    this.#client = options.newClientId();
  }

  get status(): Status {
    return {
      phase: this.#phase,
      closed: this.#closed,
      retryAt: this.#timers.retryAt,
      complaint: this.#complaint,
      attached: this.#output.offset !== undefined,
      roundTrip: this.#heartbeat.roundTrip,
      silentSince: this.#heartbeat.silentSince,
      ...this.#picture.view,
      pendingInput: this.#input.pendingBytes,
    };
  }

  /** When `handle` wants a `tick`; undefined: never. */
  get deadline(): number | undefined {
    const due = Math.min(this.#timers.deadline, this.#heartbeat.deadline);
    return due === Number.POSITIVE_INFINITY ? undefined : due;
  }

  /** Takes one event and answers what must be done about it, in order. */
  handle(event: Event, now: number): readonly Effect[] {
    this.#effects = [];
    if (this.#phase !== 'closed') {
      this.#dispatch(event, now);
    }
    return this.#effects;
  }

  #dispatch(event: Event, now: number): void {
    switch (event.type) {
      case 'start':
        this.#window = event.window;
        return this.#connect(now);
      case 'socket-open':
        return this.#handleSocketOpen();
      case 'message':
        return this.#handleMessage(event.bytes, now);
      case 'text-message':
        return this.#breakOff('text message');
      case 'socket-closed':
        return this.#handleSocketClosed(event, now);
      case 'probed':
        return this.#handleProbed(event.answer);
      case 'input':
        return this.#handleInput(event.bytes);
      case 'drop-input':
        return this.#handleDropInput();
      case 'window':
        return this.#handleWindow(event.size);
      case 'claim-size':
        return this.#sendWindow();
      case 'processed':
        return this.#handleProcessed(event.epoch, event.offset);
      case 'visibility':
        return this.#handleVisibility(event.visible, now);
      case 'wake':
        return this.#handleWake(now);
      case 'suspend':
        return this.#handleSuspend();
      case 'tick':
        return this.#handleTick(now);
    }
  }

  #connect(now: number): void {
    this.#phase = 'connecting';
    this.#timers.startHandshake(now);
    this.#effects.push({ type: 'open' });
  }

  #handleSocketOpen(): void {
    this.#phase = 'syncing';
    this.#complaint = undefined;
    this.#send({
      type: 'hello',
      hello: {
        client: this.#client,
        ...(this.#output.offset === undefined ? {} : { resume: this.#output.offset }),
        ...(this.#window === undefined ? {} : { size: this.#window }),
        role: 'operator',
        features: [],
      },
    });
  }

  #handleMessage(bytes: Uint8Array, now: number): void {
    let frame: ServerFrame;
    try {
      frame = decodeServerFrame(bytes);
    } catch (error) {
      if (error instanceof FrameError) {
        return this.#breakOff(error.message);
      }
      throw error;
    }
    this.#heartbeat.handleFrame(now);
    this.#handleFrame(frame, now);
  }

  #handleFrame(frame: ServerFrame, now: number): void {
    switch (frame.type) {
      case 'output':
        return this.#handleOutput(frame.offset, frame.bytes, now);
      case 'input-ack':
        this.#input.accept(frame.accepted);
        return this.#flushInput();
      case 'pong':
        return this.#heartbeat.handlePong(frame.token, now);
      case 'size':
        return this.#emit(this.#picture.handleSize(frame));
      case 'event':
        return this.#emit(this.#picture.handleEvent(frame.event));
      case 'welcome':
        return this.#handleWelcome(frame.welcome, now);
      case 'snapshot':
        return this.#handleSnapshot(frame);
      case 'gap':
        return this.#handleGap(frame.from, frame.to);
      case 'exit':
        return this.#close({ kind: 'exited', exit: frame.exit });
      case 'error':
        this.#complaint = sanitiseTitle(frame.message);
        return;
      case 'termios':
      case 'unknown':
        return;
    }
  }

  #handleWelcome(welcome: Welcome, now: number): void {
    if (this.#phase !== 'syncing' || this.#welcomed) {
      return this.#breakOff('welcome out of order');
    }
    if (welcome.resumed && welcome.offset !== this.#output.offset) {
      this.#output.forget();
      return this.#resynchronise(now);
    }
    this.#welcomed = true;
    this.#timers.finishHandshake(now);
    this.#output.reconnect();
    this.#heartbeat.start(now);
    this.#emit(this.#picture.handleWelcome(welcome));
    if (welcome.resumed) {
      this.#phase = 'live';
    }
    this.#resendInput(welcome);
    this.#poll(now);
  }

  #handleOutput(offset: number, bytes: Uint8Array, now: number): void {
    const effect = this.#phase === 'live' ? this.#output.take(offset, bytes) : undefined;
    if (effect === undefined) {
      // A hole that was not announced, or bytes sent twice: take the stream up again where ours ends.
      return this.#resynchronise(now);
    }
    this.#effects.push(effect);
  }

  #handleGap(from: number, to: number): void {
    this.#phase = 'behind';
    this.#effects.push({ type: 'skipped', bytes: to - from });
  }

  #handleSnapshot(frame: ServerFrame & { type: 'snapshot' }): void {
    this.#phase = 'live';
    this.#picture.handleSnapshot(frame.size);
    this.#effects.push(this.#output.restart(frame));
  }

  #handleSocketClosed(event: Event & { type: 'socket-closed' }, now: number): void {
    const verdict = judgeClose(event.code, this.#complaint ?? sanitiseTitle(event.reason));
    if (verdict.kind === 'final') {
      return this.#close(verdict.closed);
    }
    if (this.#phase === 'connecting') {
      // A refused upgrade and a dead network look the same here; an HTTP request can tell them apart.
      this.#effects.push({ type: 'probe' });
    }
    this.#retry(now, verdict.atLeast);
  }

  #handleProbed(answer: (Event & { type: 'probed' })['answer']): void {
    if (this.#phase === 'waiting' && answer !== 'unclear') {
      this.#close({ kind: answer });
    }
  }

  #handleInput(bytes: Uint8Array): void {
    if (this.#picture.role === 'observer') {
      this.#effects.push({ type: 'input-refused', reason: 'observer' });
      return;
    }
    const limit = this.#welcomed ? ONLINE_BYTES_MAX : OFFLINE_BYTES_MAX;
    if (!this.#input.push(bytes, limit)) {
      this.#effects.push({ type: 'input-refused', reason: 'full' });
      return;
    }
    this.#flushInput();
  }

  #handleDropInput(): void {
    if (this.#welcomed || !this.#input.hasNumbered) {
      // What is on the wire cannot be called back; what is not is the rest of a paste.
      this.#input.dropWaiting();
      return;
    }
    // The server may have accepted some of these numbers. Others must never carry different bytes, so the
    // numbering starts again under a new name.
    this.#input.restart();
    this.#client = this.#options.newClientId();
  }

  #handleWindow(size: WindowSize): void {
    if (this.#window?.cols === size.cols && this.#window.rows === size.rows) {
      return;
    }
    this.#window = size;
    this.#sendWindow();
  }

  #sendWindow(): void {
    if (this.#welcomed && this.#window !== undefined && this.#picture.role === 'operator') {
      this.#send({ type: 'resize', size: this.#window });
    }
  }

  #handleProcessed(epoch: number, offset: number): void {
    const due = this.#output.handleProcessed(epoch, offset);
    if (due !== undefined && this.#welcomed) {
      this.#send({ type: 'ack', offset: due });
    }
  }

  #handleVisibility(visible: boolean, now: number): void {
    this.#heartbeat.setVisible(visible, now);
    if (visible) {
      this.#handleWake(now);
    }
  }

  /** Somebody is there, or the network is back: try now rather than when the backoff says. */
  #handleWake(now: number): void {
    if (this.#phase === 'waiting' || this.#phase === 'suspended') {
      this.#timers.forgetFailures();
      return this.#connect(now);
    }
    this.#heartbeat.wake(now);
    this.#poll(now);
  }

  #handleSuspend(): void {
    this.#drop(CLOSE_NORMAL);
    this.#phase = 'suspended';
  }

  #handleTick(now: number): void {
    switch (this.#timers.poll(now)) {
      case 'retry':
        return this.#connect(now);
      case 'give-up':
        this.#drop(CLOSE_NORMAL);
        return this.#retry(now);
      case undefined:
        return this.#poll(now);
    }
  }

  /** Sends a ping that is due, or gives the link up. */
  #poll(now: number): void {
    const due = this.#heartbeat.poll(now);
    if (due === 'dead') {
      this.#drop(CLOSE_NORMAL);
      this.#retry(now);
    } else if (due !== undefined) {
      this.#send({ type: 'ping', token: due.ping });
    }
  }

  #resynchronise(now: number): void {
    this.#drop(CLOSE_BAD_FRAME);
    this.#retry(now);
  }

  #breakOff(message: string): void {
    this.#close({ kind: 'broken', message }, CLOSE_BAD_FRAME);
  }

  #retry(now: number, atLeast?: number): void {
    this.#disconnect();
    this.#phase = 'waiting';
    this.#timers.wait(now, atLeast);
  }

  #close(closed: Closed, code = CLOSE_NORMAL): void {
    this.#drop(code);
    this.#phase = 'closed';
    this.#closed = closed;
  }

  /** Shuts the socket from this side. */
  #drop(code: number): void {
    this.#disconnect();
    this.#effects.push({ type: 'shut', code });
  }

  #disconnect(): void {
    this.#welcomed = false;
    this.#timers.clear();
    this.#heartbeat.stop();
  }

  #resendInput({ role, accepted }: Welcome): void {
    if (role === 'observer') {
      // What was typed in another role must not end this connection.
      this.#input.restart();
      return;
    }
    this.#sendInput(this.#input.resend(accepted));
    this.#flushInput();
  }

  #flushInput(): void {
    if (this.#welcomed) {
      this.#sendInput(this.#input.take());
    }
  }

  #sendInput(inputs: readonly { readonly number: number; readonly bytes: Uint8Array }[]): void {
    for (const { number, bytes } of inputs) {
      this.#send({ type: 'input', number, bytes });
    }
  }

  #send(frame: ClientFrame): void {
    this.#effects.push({ type: 'send', bytes: encodeClientFrame(frame) });
  }

  #emit(effect: Effect | undefined): void {
    if (effect !== undefined) {
      this.#effects.push(effect);
    }
  }
}
