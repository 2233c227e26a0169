/** Frames from a client to the server, `docs/protocol.md` section 4. */

import { ByteReader, ByteWriter, FrameError } from './bytes';
import {
  choiceMember,
  decodeJson,
  encodeJson,
  type JsonObject,
  numberMember,
  stringMember,
  stringsMember,
} from './json';
import { FRAME_BYTES_MAX } from './limits';

export type Role = 'operator' | 'observer';
export const ROLES: readonly Role[] = ['operator', 'observer'];

/** The first frame of a connection, section 6. */
export interface Hello {
  /** Client id: 16 hex digits. */
  readonly client: string;
  /** Continue at this output offset; absent: attach with a snapshot. */
  readonly resume?: number;
  readonly cols?: number;
  readonly rows?: number;
  readonly role?: Role;
  readonly features?: readonly string[];
}

export type ClientFrame =
  | { readonly type: 'hello'; readonly hello: Hello }
  | { readonly type: 'input'; readonly number: number; readonly bytes: Uint8Array }
  | { readonly type: 'resize'; readonly cols: number; readonly rows: number }
  | { readonly type: 'ack'; readonly offset: number }
  | { readonly type: 'ping'; readonly token: number }
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
      return new ByteWriter(5).u8(RESIZE).u16(frame.cols).u16(frame.rows).bytes;
    case 'ack':
      return new ByteWriter(9).u8(ACK).u64(frame.offset).bytes;
    case 'ping':
      return new ByteWriter(9).u8(PING).u64(frame.token).bytes;
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
      const frame = { type: 'resize', cols: reader.u16(), rows: reader.u16() } as const;
      reader.end();
      return frame;
    }
    case ACK: {
      const frame = { type: 'ack', offset: reader.u64() } as const;
      reader.end();
      return frame;
    }
    case PING: {
      const frame = { type: 'ping', token: reader.u64() } as const;
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

function helloMembers(hello: Hello): JsonObject {
  return { ...hello };
}

function readHello(body: JsonObject): Hello {
  const client = stringMember(body, 'client');
  if (!/^[0-9a-fA-F]{16}$/.test(client)) {
    throw new FrameError('member "client" is not 16 hex digits');
  }
  return {
    client,
    ...(body.resume === undefined ? {} : { resume: numberMember(body, 'resume') }),
    ...(body.cols === undefined ? {} : { cols: numberMember(body, 'cols') }),
    ...(body.rows === undefined ? {} : { rows: numberMember(body, 'rows') }),
    ...(body.role === undefined ? {} : { role: choiceMember(body, 'role', ROLES) }),
    ...(body.features === undefined ? {} : { features: stringsMember(body, 'features') }),
  };
}
