/** JSON bodies: one object, known members checked, unknown ones ignored. */

import { FrameError } from './bytes';

export type JsonObject = Readonly<Record<string, unknown>>;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function encodeJson(value: JsonObject): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

export function decodeJson(bytes: Uint8Array): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch {
    throw new FrameError('body is not JSON in UTF-8');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FrameError('body is not a JSON object');
  }
  return value as JsonObject;
}

/** An optional member that is null is absent. */
export function isAbsent(object: JsonObject, name: string): boolean {
  return object[name] === undefined || object[name] === null;
}

export function stringMember(object: JsonObject, name: string): string {
  const value = object[name];
  if (typeof value !== 'string') {
    throw new FrameError(`member "${name}" is not a string`);
  }
  return value;
}

/** A member that is a whole number from 0 to 2^53 - 1. */
export function numberMember(object: JsonObject, name: string): number {
  const value = object[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new FrameError(`member "${name}" is not a whole number below 2^53`);
  }
  return value;
}

export function booleanMember(object: JsonObject, name: string): boolean {
  const value = object[name];
  if (typeof value !== 'boolean') {
    throw new FrameError(`member "${name}" is not true or false`);
  }
  return value;
}

export function choiceMember<T extends string>(
  object: JsonObject,
  name: string,
  choices: readonly T[],
): T {
  const value = stringMember(object, name);
  const choice = choices.find((known) => known === value);
  if (choice === undefined) {
    throw new FrameError(`member "${name}" is none of ${choices.join(', ')}`);
  }
  return choice;
}

export function stringsMember(object: JsonObject, name: string): readonly string[] {
  const value = object[name];
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw new FrameError(`member "${name}" is not an array of strings`);
  }
  return value;
}
