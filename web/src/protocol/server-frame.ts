/** Frames from the server to a client, `docs/protocol.md` section 5. */

import { ByteReader, ByteWriter, FrameError } from './bytes';
import { checkBodyLength, ROLES, type Role } from './client-frame';
import {
  booleanMember,
  choiceMember,
  decodeJson,
  encodeJson,
  type JsonObject,
  numberMember,
  stringMember,
  stringsMember,
} from './json';
import { SNAPSHOT_BYTES_MAX } from './limits';

/** The answer to `hello`, section 6. */
export interface Welcome {
  readonly session: string;
  readonly viewer: number;
  readonly resumed: boolean;
  readonly offset: number;
  readonly accepted: number;
  readonly cols: number;
  readonly rows: number;
  readonly owner: number;
  readonly role: Role;
  readonly features: readonly string[];
  readonly title: string;
  readonly state: 'running' | 'exited';
}

/** How the child ended, section 7. */
export type Exit =
  | { readonly kind: 'code'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: number; readonly name: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'lost' };

/** Typed events, section 7. Kinds that this client does not know are `other`. */
export type SessionEvent =
  | { readonly kind: 'title'; readonly title: string }
  | { readonly kind: 'bell' }
  | { readonly kind: 'viewers'; readonly count: number }
  | { readonly kind: 'other' };

export type ServerFrame =
  | { readonly type: 'welcome'; readonly welcome: Welcome }
  | { readonly type: 'output'; readonly offset: number; readonly bytes: Uint8Array }
  | {
      readonly type: 'snapshot';
      readonly offset: number;
      readonly cols: number;
      readonly rows: number;
      readonly bytes: Uint8Array;
    }
  | { readonly type: 'gap'; readonly from: number; readonly to: number }
  | { readonly type: 'input-ack'; readonly accepted: number; readonly settled: number }
  | { readonly type: 'size'; readonly cols: number; readonly rows: number; readonly owner: number }
  | { readonly type: 'termios'; readonly echo: boolean; readonly canonical: boolean }
  | { readonly type: 'event'; readonly event: SessionEvent }
  | { readonly type: 'pong'; readonly token: number }
  | { readonly type: 'exit'; readonly exit: Exit }
  | { readonly type: 'error'; readonly code: string; readonly message: string }
  | { readonly type: 'unknown'; readonly id: number };

const WELCOME = 0x81;
const OUTPUT = 0x82;
const SNAPSHOT = 0x83;
const GAP = 0x84;
const INPUT_ACK = 0x85;
const SIZE = 0x86;
const TERMIOS = 0x87;
const EVENT = 0x88;
const PONG = 0x89;
const EXIT = 0x8a;
const ERROR = 0x8b;

const TERMIOS_ECHO = 0b01;
const TERMIOS_ICANON = 0b10;

/** Reads one message of the server; throws `FrameError` when it is malformed. */
export function decodeServerFrame(bytes: Uint8Array): ServerFrame {
  const reader = new ByteReader(bytes);
  const id = reader.u8();
  switch (id) {
    case OUTPUT:
      return readOutput(reader);
    case SNAPSHOT:
      return readSnapshot(reader);
    case WELCOME:
      return { type: 'welcome', welcome: readWelcome(decodeJson(reader.rest())) };
    case EVENT:
      return { type: 'event', event: readEvent(decodeJson(reader.rest())) };
    case EXIT:
      return { type: 'exit', exit: readExit(decodeJson(reader.rest())) };
    case ERROR: {
      const body = decodeJson(reader.rest());
      return {
        type: 'error',
        code: stringMember(body, 'code'),
        message: stringMember(body, 'message'),
      };
    }
    case GAP:
    case INPUT_ACK:
    case SIZE:
    case TERMIOS:
    case PONG: {
      const frame = readFixed(id, reader);
      reader.end();
      return frame;
    }
    default:
      return { type: 'unknown', id };
  }
}

/** Writes a frame as the server does. The page never calls it: servers in tests do. */
export function encodeServerFrame(frame: ServerFrame): Uint8Array<ArrayBuffer> {
  switch (frame.type) {
    case 'output':
      return new ByteWriter(9 + frame.bytes.length).u8(OUTPUT).u64(frame.offset).raw(frame.bytes)
        .bytes;
    case 'snapshot': {
      const writer = new ByteWriter(13 + frame.bytes.length).u8(SNAPSHOT).u64(frame.offset);
      return writer.u16(frame.cols).u16(frame.rows).raw(frame.bytes).bytes;
    }
    case 'gap':
      return new ByteWriter(17).u8(GAP).u64(frame.from).u64(frame.to).bytes;
    case 'input-ack':
      return new ByteWriter(17).u8(INPUT_ACK).u64(frame.accepted).u64(frame.settled).bytes;
    case 'size':
      return new ByteWriter(13).u8(SIZE).u16(frame.cols).u16(frame.rows).u64(frame.owner).bytes;
    case 'termios': {
      const flags = (frame.echo ? TERMIOS_ECHO : 0) | (frame.canonical ? TERMIOS_ICANON : 0);
      return new ByteWriter(2).u8(TERMIOS).u8(flags).bytes;
    }
    case 'pong':
      return new ByteWriter(9).u8(PONG).u64(frame.token).bytes;
    case 'welcome':
      return jsonFrame(WELCOME, { ...frame.welcome });
    case 'event':
      return jsonFrame(EVENT, eventMembers(frame.event));
    case 'exit':
      return jsonFrame(EXIT, exitMembers(frame.exit));
    case 'error':
      return jsonFrame(ERROR, { code: frame.code, message: frame.message });
    case 'unknown':
      return new ByteWriter(1).u8(frame.id).bytes;
  }
}

function readOutput(reader: ByteReader): ServerFrame {
  const offset = reader.u64();
  const bytes = reader.rest();
  checkBodyLength(bytes);
  return { type: 'output', offset, bytes };
}

function readSnapshot(reader: ByteReader): ServerFrame {
  const [offset, cols, rows] = [reader.u64(), reader.u16(), reader.u16()];
  const bytes = reader.rest();
  if (bytes.length > SNAPSHOT_BYTES_MAX) {
    throw new FrameError(`snapshot of ${bytes.length} bytes exceeds limit`);
  }
  if (cols === 0 || rows === 0) {
    throw new FrameError('snapshot has no size');
  }
  return { type: 'snapshot', offset, cols, rows, bytes };
}

function readFixed(id: number, reader: ByteReader): ServerFrame {
  switch (id) {
    case GAP: {
      const [from, to] = [reader.u64(), reader.u64()];
      if (to < from) {
        throw new FrameError('gap ends before it starts');
      }
      return { type: 'gap', from, to };
    }
    case INPUT_ACK:
      return { type: 'input-ack', accepted: reader.u64(), settled: reader.u64() };
    case SIZE:
      return { type: 'size', cols: reader.u16(), rows: reader.u16(), owner: reader.u64() };
    case TERMIOS: {
      const flags = reader.u8();
      return {
        type: 'termios',
        echo: (flags & TERMIOS_ECHO) !== 0,
        canonical: (flags & TERMIOS_ICANON) !== 0,
      };
    }
    default:
      return { type: 'pong', token: reader.u64() };
  }
}

function readWelcome(body: JsonObject): Welcome {
  return {
    session: stringMember(body, 'session'),
    viewer: numberMember(body, 'viewer'),
    resumed: booleanMember(body, 'resumed'),
    offset: numberMember(body, 'offset'),
    accepted: numberMember(body, 'accepted'),
    cols: numberMember(body, 'cols'),
    rows: numberMember(body, 'rows'),
    owner: numberMember(body, 'owner'),
    role: choiceMember(body, 'role', ROLES),
    features: stringsMember(body, 'features'),
    title: stringMember(body, 'title'),
    state: choiceMember(body, 'state', ['running', 'exited']),
  };
}

function readEvent(body: JsonObject): SessionEvent {
  switch (stringMember(body, 'type')) {
    case 'title':
      return { kind: 'title', title: stringMember(body, 'title') };
    case 'bell':
      return { kind: 'bell' };
    case 'viewers':
      return { kind: 'viewers', count: numberMember(body, 'count') };
    default:
      return { kind: 'other' };
  }
}

function readExit(body: JsonObject): Exit {
  if (body.code !== undefined) {
    return { kind: 'code', code: numberMember(body, 'code') };
  }
  if (body.signal !== undefined) {
    return {
      kind: 'signal',
      signal: numberMember(body, 'signal'),
      name: stringMember(body, 'name'),
    };
  }
  return body.lost === true ? { kind: 'lost' } : { kind: 'unknown' };
}

function eventMembers(event: SessionEvent): JsonObject {
  const { kind, ...members } = event;
  return { type: kind, ...members };
}

function exitMembers(exit: Exit): JsonObject {
  switch (exit.kind) {
    case 'code':
      return { code: exit.code };
    case 'signal':
      return { signal: exit.signal, name: exit.name };
    case 'unknown':
      return { unknown: true };
    case 'lost':
      return { lost: true };
  }
}

function jsonFrame(id: number, members: JsonObject): Uint8Array<ArrayBuffer> {
  const body = encodeJson(members);
  return new ByteWriter(1 + body.length).u8(id).raw(body).bytes;
}
