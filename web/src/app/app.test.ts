import { describe, expect, test } from 'vitest';
import { basePath, launchSecret, loginProblem, sessionId } from './address';
import { DEFAULTS, parseSettings } from './settings';

describe('addresses', () => {
  test.each([
    ['start', 'http://localhost:7681/', 'http://localhost:7681/'],
    ['start', 'http://localhost:7681/?x#t=secret', 'http://localhost:7681/'],
    ['start', 'https://example.org/tools/hither/', 'https://example.org/tools/hither/'],
    ['session', 'http://localhost:7681/s/abc', 'http://localhost:7681/'],
    ['session', 'https://example.org/tools/hither/s/abc?x#y', 'https://example.org/tools/hither/'],
  ] as const)('the base of the %s page at %s', (page, address, base) => {
    expect(basePath(page, address).href).toBe(base);
  });

  test.each([
    ['http://localhost/s/abc', 'abc'],
    ['http://localhost/base/s/abc?x#y', 'abc'],
    ['http://localhost/s/a%2Fb', 'a/b'],
    ['http://localhost/s/%zz', '%zz'],
  ])('the session of %s', (address, id) => {
    expect(sessionId(address)).toBe(id);
  });

  test.each([
    ['#t=secret', 'secret'],
    ['#t=', undefined],
    ['#x=1', undefined],
    ['', undefined],
  ])('the secret of %j', (hash, secret) => {
    expect(launchSecret(hash)).toBe(secret);
  });

  test.each([
    ['#login=oidc_denied', 'oidc_denied'],
    ['#t=secret', undefined],
    ['', undefined],
  ])('why nobody was let in, of %j', (hash, code) => {
    expect(loginProblem(hash)).toBe(code);
  });
});

describe('settings', () => {
  test.each([
    [null, DEFAULTS],
    ['not json', DEFAULTS],
    ['null', DEFAULTS],
    ['{"fontSize":"big","theme":"pink","screenReader":1}', DEFAULTS],
    [
      '{"fontSize":18,"theme":"light","screenReader":true}',
      { fontSize: 18, theme: 'light', screenReader: true },
    ],
    ['{"fontSize":4000}', { ...DEFAULTS, fontSize: 40 }],
    ['{"fontSize":-1}', { ...DEFAULTS, fontSize: 6 }],
  ])('stored as %j', (stored, settings) => {
    expect(parseSettings(stored)).toEqual(settings);
  });
});
