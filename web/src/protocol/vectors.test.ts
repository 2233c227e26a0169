/** The codec against `testdata/frames`, which the Rust tests read too. Its README tells the format. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type ClientFrame,
  decodeClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  encodeServerFrame,
  FrameError,
  type ServerFrame,
  type SessionEvent,
  type WindowSize,
} from './index';

const FOLDER = new URL('../../../testdata/frames/', import.meta.url);

type Fields = Record<string, unknown>;

interface Vector {
  readonly name: string;
  readonly direction: string;
  readonly error: string | undefined;
  readonly frame: string | undefined;
  readonly reencode: boolean;
  readonly fields: Fields;
  readonly bytes: Uint8Array;
}

function readVector(name: string): Vector {
  const words: Record<string, string> = {};
  const parts: Uint8Array[] = [];
  for (const line of readFileSync(new URL(name, FOLDER), 'utf8').split('\n')) {
    const metadata = /^([a-z_]+): (.*)$/.exec(line);
    if (line === '' || line.startsWith('#')) {
      continue;
    }
    if (metadata !== null) {
      words[metadata[1] ?? ''] = metadata[2] ?? '';
    } else {
      parts.push(readBytes(line.replace(/#.*/, '').trim()));
    }
  }
  const { direction = '', error, frame, reencode, ...rest } = words;
  const fields = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, JSON.parse(value) as unknown]),
  );
  return {
    name,
    direction,
    error,
    frame,
    reencode: reencode !== 'false',
    fields,
    bytes: Buffer.concat(parts),
  };
}

function readBytes(text: string): Uint8Array {
  const [, repeated, count] = /^([0-9a-f]{2}) \* (\d+)$/.exec(text) ?? [];
  if (repeated !== undefined) {
    return new Uint8Array(Number(count)).fill(Number.parseInt(repeated, 16));
  }
  expect(text).toMatch(/^[0-9a-f]{2}( [0-9a-f]{2})*$/);
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

const pair = ({ cols, rows }: WindowSize) => [cols, rows];
const hex = (token: bigint) => token.toString(16).padStart(16, '0');

function clientFields(frame: ClientFrame): Fields {
  switch (frame.type) {
    case 'hello': {
      const { client, resume, size, role, features } = frame.hello;
      return { client, resume: resume ?? null, size: size ? pair(size) : null, role, features };
    }
    case 'input':
      return { number: frame.number, payload_len: frame.bytes.length };
    case 'resize':
      return { size: pair(frame.size) };
    case 'ack':
      return { offset: frame.offset };
    case 'ping':
      return { token: hex(frame.token) };
    case 'unknown':
      return { type: frame.id };
  }
}

function serverFields(frame: ServerFrame): Fields {
  switch (frame.type) {
    case 'welcome':
      return { ...frame.welcome, size: pair(frame.welcome.size) };
    case 'output':
      return { offset: frame.offset, payload_len: frame.bytes.length };
    case 'snapshot':
      return { offset: frame.offset, size: pair(frame.size), payload_len: frame.bytes.length };
    case 'gap':
      return { from: frame.from, to: frame.to };
    case 'input-ack':
      return { accepted: frame.accepted, settled: frame.settled };
    case 'size':
      return { size: pair(frame.size), owner: frame.owner };
    case 'termios':
      return { echo: frame.echo, icanon: frame.canonical };
    case 'event':
      return { event: eventFields(frame.event) };
    case 'pong':
      return { token: hex(frame.token) };
    case 'exit': {
      const { kind, ...members } = frame.exit;
      return { exit: Object.keys(members).length > 0 ? members : { [kind]: true } };
    }
    case 'error':
      return { code: frame.code, message: frame.message };
    case 'unknown':
      return { type: frame.id };
  }
}

function eventFields(event: SessionEvent): Fields {
  const { kind, ...members } = event;
  return event.kind === 'other' ? { type: event.name } : { type: kind, ...members };
}

/** Frames with a JSON body may write it in another order. */
const JSON_FRAMES = ['hello', 'welcome', 'event', 'exit', 'error'];

function comparable(frame: string, bytes: Uint8Array): unknown {
  return JSON_FRAMES.includes(frame)
    ? [bytes[0], JSON.parse(new TextDecoder().decode(bytes.subarray(1)))]
    : Buffer.from(bytes).toString('hex');
}

function checkVector({ direction, error, frame, reencode, fields, bytes }: Vector): void {
  expect(['client', 'server']).toContain(direction);
  const fromClient = direction === 'client';
  const decode = () => (fromClient ? decodeClientFrame(bytes) : decodeServerFrame(bytes));
  if (error !== undefined) {
    expect(error).toBe('bad_frame');
    expect(decode).toThrow(FrameError);
    return;
  }
  const decoded = decode();
  expect(decoded.type).toBe(frame);
  expect(
    fromClient ? clientFields(decoded as ClientFrame) : serverFields(decoded as ServerFrame),
  ).toEqual(fields);
  if ('bytes' in decoded) {
    expect(
      Buffer.from(decoded.bytes).equals(bytes.subarray(bytes.length - decoded.bytes.length)),
    ).toBe(true);
  }
  if (reencode) {
    const again = fromClient
      ? encodeClientFrame(decoded as ClientFrame)
      : encodeServerFrame(decoded as ServerFrame);
    expect(comparable(decoded.type, again)).toEqual(comparable(decoded.type, bytes));
  }
}

describe('frame vectors', () => {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.hex'));

  test('are there', () => {
    expect(names.length).toBeGreaterThan(50);
  });

  test.each(names)('%s', (name) => checkVector(readVector(name)));
});
