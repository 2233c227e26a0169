/** Frames from a client to the server, `docs/protocol.md` section 4. */

import { ByteReader, ByteWriter, FrameError } from './bytes';
import {
  choiceMember,
  decodeJson,
  encodeJson,
  isAbsent,
  type JsonObject,
  numberMember,
  stringMember,
  stringsMember,
} from './json';
import { FRAME_BYTES_MAX, HELLO_BYTES_MAX } from './limits';
import { clampSize, type WindowSize } from './window-size';

export type Role = 'operator' | 'observer';
export const ROLES: readonly Role[] = ['operator', 'observer'];

export type Feature = 'raw' | 'wait' | 'termios';
const FEATURES: readonly Feature[] = ['raw', 'wait', 'termios'];

/** The first frame of a connection, section 6. */
export interface Hello {
  /** Client id: 16 lower-case hex digits. */
  readonly client: string;
  /** Continue at this output offset; absent: attach with a snapshot. */
  readonly resume?: number;
  /** The client's window; absent: take no part in sizing. */
  readonly size?: WindowSize;
  readonly role: Role;
  readonly features: readonly Feature[];
}

export type ClientFrame =
  | { readonly type: 'hello'; readonly hello: Hello }
  | { readonly type: 'input'; readonly number: number; readonly bytes: Uint8Array }
  | { readonly type: 'resize'; readonly size: WindowSize }
  | { readonly type: 'ack'; readonly offset: number }
  | { readonly type: 'ping'; readonly token: bigint }
  | { readonly type: 'unknown'; readonly id: number };

const HELLO = 0x01;
const INPUT = 0x02;
const RESIZE = 0x03;
const ACK = 0x04;
const PING = 0x05;

export function encodeClientFrame(frame: ClientFrame): Uint8Array<ArrayBuffer> {
  switch (frame.type) {
    case 'hello': {
      const body = encodeJson(helloMembers(frame.hello));
      return new ByteWriter(1 + body.length).u8(HELLO).raw(body).bytes;
    }
    case 'input': {
      const writer = new ByteWriter(9 + frame.bytes.length);
      return writer.u8(INPUT).u64(frame.number).raw(frame.bytes).bytes;
    }
    case 'resize':
      return new ByteWriter(5).u8(RESIZE).u16(frame.size.cols).u16(frame.size.rows).bytes;
    case 'ack':
      return new ByteWriter(9).u8(ACK).u64(frame.offset).bytes;
    case 'ping':
      return new ByteWriter(9).u8(PING).token(frame.token).bytes;
    case 'unknown':
      return new ByteWriter(1).u8(frame.id).bytes;
  }
}

/** Reads what a client sent; throws `FrameError`. The page never calls it: servers in tests do. */
export function decodeClientFrame(bytes: Uint8Array): ClientFrame {
  const reader = new ByteReader(bytes);
  const id = reader.u8();
  switch (id) {
    case HELLO:
      if (bytes.length > HELLO_BYTES_MAX) {
        throw new FrameError(`hello of ${bytes.length} bytes exceeds limit of ${HELLO_BYTES_MAX}`);
      }
      return { type: 'hello', hello: readHello(decodeJson(reader.rest())) };
    case INPUT: {
      const number = reader.u64();
      const input = reader.rest();
      if (number === 0) {
        throw new FrameError('input numbers start at 1');
      }
      checkBodyLength(input);
      return { type: 'input', number, bytes: input };
    }
    case RESIZE: {
      const size = clampSize(reader.u16(), reader.u16());
      reader.end();
      return { type: 'resize', size };
    }
    case ACK: {
      const frame = { type: 'ack', offset: reader.u64() } as const;
      reader.end();
      return frame;
    }
    case PING: {
      const frame = { type: 'ping', token: reader.token() } as const;
      reader.end();
      return frame;
    }
    default:
      return { type: 'unknown', id };
  }
}

/** Input and output frames carry at least one byte and at most `FRAME_BYTES_MAX`. */
export function checkBodyLength(body: Uint8Array): void {
  if (body.length === 0) {
    throw new FrameError('frame carries no bytes');
  }
  if (body.length > FRAME_BYTES_MAX) {
    throw new FrameError(`frame of ${body.length} bytes exceeds limit of ${FRAME_BYTES_MAX}`);
  }
}

function helloMembers({ client, resume, size, role, features }: Hello): JsonObject {
  return {
    client,
    ...(resume === undefined ? {} : { resume }),
    ...(size ?? {}),
    role,
    ...(features.length === 0 ? {} : { features }),
  };
}

function readHello(body: JsonObject): Hello {
  const client = stringMember(body, 'client');
  if (!/^[0-9a-f]{16}$/i.test(client)) {
    throw new FrameError('member "client" is not 16 hex digits');
  }
  if (isAbsent(body, 'cols') !== isAbsent(body, 'rows')) {
    throw new FrameError('members "cols" and "rows" come together');
  }
  return {
    client: client.toLowerCase(),
    ...(isAbsent(body, 'resume') ? {} : { resume: numberMember(body, 'resume') }),
    ...(isAbsent(body, 'cols')
      ? {}
      : { size: clampSize(numberMember(body, 'cols'), numberMember(body, 'rows')) }),
    role: isAbsent(body, 'role') ? 'operator' : choiceMember(body, 'role', ROLES),
    features: isAbsent(body, 'features') ? [] : featuresMember(body),
  };
}

/** The features that this version knows, in their own order. */
export function featuresMember(body: JsonObject): readonly Feature[] {
  const named = stringsMember(body, 'features');
  return FEATURES.filter((feature) => named.includes(feature));
}
