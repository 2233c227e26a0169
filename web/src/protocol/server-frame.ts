/** Frames from the server to a client, `docs/protocol.md` section 5. */

import { ByteReader, ByteWriter, FrameError } from './bytes';
import { checkBodyLength, type Feature, featuresMember, ROLES, type Role } from './client-frame';
import {
  booleanMember,
  choiceMember,
  decodeJson,
  encodeJson,
  isAbsent,
  type JsonObject,
  numberMember,
  stringMember,
} from './json';
import { SNAPSHOT_BYTES_MAX } from './limits';
import { checkSize, type WindowSize } from './window-size';

/** The answer to `hello`, section 6. */
export interface Welcome {
  /** 16 characters of a-z and 2-7. */
  readonly session: string;
  readonly viewer: number;
  readonly resumed: boolean;
  readonly offset: number;
  readonly accepted: number;
  readonly size: WindowSize;
  /** Viewer id of whom the size follows; 0: nobody. */
  readonly owner: number;
  readonly role: Role;
  readonly features: readonly Feature[];
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
  | { readonly kind: 'role'; readonly role: Role }
  | { readonly kind: 'other'; readonly name: string };

export type ServerFrame =
  | { readonly type: 'welcome'; readonly welcome: Welcome }
  | { readonly type: 'output'; readonly offset: number; readonly bytes: Uint8Array }
  | {
      readonly type: 'snapshot';
      readonly offset: number;
      readonly size: WindowSize;
      readonly bytes: Uint8Array;
    }
  | { readonly type: 'gap'; readonly from: number; readonly to: number }
  | { readonly type: 'input-ack'; readonly accepted: number; readonly settled: number }
  | { readonly type: 'size'; readonly size: WindowSize; readonly owner: number }
  | { readonly type: 'termios'; readonly echo: boolean; readonly canonical: boolean }
  | { readonly type: 'event'; readonly event: SessionEvent }
  | { readonly type: 'pong'; readonly token: bigint }
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
      return writer.u16(frame.size.cols).u16(frame.size.rows).raw(frame.bytes).bytes;
    }
    case 'gap':
      return new ByteWriter(17).u8(GAP).u64(frame.from).u64(frame.to).bytes;
    case 'input-ack':
      return new ByteWriter(17).u8(INPUT_ACK).u64(frame.accepted).u64(frame.settled).bytes;
    case 'size': {
      const { cols, rows } = frame.size;
      return new ByteWriter(13).u8(SIZE).u16(cols).u16(rows).u64(frame.owner).bytes;
    }
    case 'termios': {
      const flags = (frame.echo ? TERMIOS_ECHO : 0) | (frame.canonical ? TERMIOS_ICANON : 0);
      return new ByteWriter(2).u8(TERMIOS).u8(flags).bytes;
    }
    case 'pong':
      return new ByteWriter(9).u8(PONG).token(frame.token).bytes;
    case 'welcome':
      return jsonFrame(WELCOME, welcomeMembers(frame.welcome));
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
  if (!Number.isSafeInteger(offset + bytes.length)) {
    throw new FrameError('output ends beyond 2^53');
  }
  return { type: 'output', offset, bytes };
}

function readSnapshot(reader: ByteReader): ServerFrame {
  const offset = reader.u64();
  const size = checkSize(reader.u16(), reader.u16());
  const bytes = reader.rest();
  if (bytes.length > SNAPSHOT_BYTES_MAX) {
    throw new FrameError(
      `snapshot of ${bytes.length} bytes exceeds limit of ${SNAPSHOT_BYTES_MAX}`,
    );
  }
  return { type: 'snapshot', offset, size, bytes };
}

function readFixed(id: number, reader: ByteReader): ServerFrame {
  switch (id) {
    case GAP: {
      const [from, to] = [reader.u64(), reader.u64()];
      if (to <= from) {
        throw new FrameError('gap skips nothing');
      }
      return { type: 'gap', from, to };
    }
    case INPUT_ACK: {
      const [accepted, settled] = [reader.u64(), reader.u64()];
      if (settled > accepted) {
        throw new FrameError('input settled before it was accepted');
      }
      return { type: 'input-ack', accepted, settled };
    }
    case SIZE:
      return {
        type: 'size',
        size: checkSize(reader.u16(), reader.u16()),
        owner: reader.u64(),
      };
    case TERMIOS: {
      const flags = reader.u8();
      return {
        type: 'termios',
        echo: (flags & TERMIOS_ECHO) !== 0,
        canonical: (flags & TERMIOS_ICANON) !== 0,
      };
    }
    default:
      return { type: 'pong', token: reader.token() };
  }
}

function welcomeMembers({ size, ...members }: Welcome): JsonObject {
  return { ...members, ...size };
}

function readWelcome(body: JsonObject): Welcome {
  const session = stringMember(body, 'session');
  if (!/^[a-z2-7]{16}$/.test(session)) {
    throw new FrameError('member "session" is not 16 characters of a-z and 2-7');
  }
  return {
    session,
    viewer: numberMember(body, 'viewer'),
    resumed: booleanMember(body, 'resumed'),
    offset: numberMember(body, 'offset'),
    accepted: numberMember(body, 'accepted'),
    size: checkSize(numberMember(body, 'cols'), numberMember(body, 'rows')),
    owner: numberMember(body, 'owner'),
    role: choiceMember(body, 'role', ROLES),
    features: featuresMember(body),
    title: stringMember(body, 'title'),
    state: choiceMember(body, 'state', ['running', 'exited']),
  };
}

function readEvent(body: JsonObject): SessionEvent {
  const name = stringMember(body, 'type');
  switch (name) {
    case 'title':
      return { kind: 'title', title: stringMember(body, 'title') };
    case 'bell':
      return { kind: 'bell' };
    case 'viewers':
      return { kind: 'viewers', count: numberMember(body, 'count') };
    case 'role':
      return { kind: 'role', role: choiceMember(body, 'role', ROLES) };
    default:
      return { kind: 'other', name };
  }
}

const EXIT_CODE_MAX = 255;

function readExit(body: JsonObject): Exit {
  const kinds = ['code', 'signal', 'unknown', 'lost'].filter((name) => !isAbsent(body, name));
  if (kinds.length !== 1) {
    throw new FrameError('exit is not exactly one of code, signal, unknown and lost');
  }
  switch (kinds[0]) {
    case 'code': {
      const code = numberMember(body, 'code');
      if (code > EXIT_CODE_MAX) {
        throw new FrameError('exit status is above 255');
      }
      return { kind: 'code', code };
    }
    case 'signal':
      return {
        kind: 'signal',
        signal: numberMember(body, 'signal'),
        name: stringMember(body, 'name'),
      };
    case 'lost':
      checkTrue(body, 'lost');
      return { kind: 'lost' };
    default:
      checkTrue(body, 'unknown');
      return { kind: 'unknown' };
  }
}

function checkTrue(body: JsonObject, name: string): void {
  if (!booleanMember(body, name)) {
    throw new FrameError(`member "${name}" is not true`);
  }
}

function eventMembers(event: SessionEvent): JsonObject {
  switch (event.kind) {
    case 'title':
      return { type: 'title', title: event.title };
    case 'bell':
      return { type: 'bell' };
    case 'viewers':
      return { type: 'viewers', count: event.count };
    case 'role':
      return { type: 'role', role: event.role };
    case 'other':
      return { type: event.name };
  }
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
