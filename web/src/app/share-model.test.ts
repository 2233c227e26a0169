import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Api } from './api';
import { ShareModel } from './share-model';

/** What a gateway keeps of one session, asked by `fetch`. */
class Gateway {
  readonly grants = new Map<string, string>();
  readonly asked: string[] = [];

  readonly fetch = (url: URL, init: RequestInit): Promise<Response> => {
    const path = url.pathname.replace('/term/api/sessions/abc/', '');
    this.asked.push(`${init.method} ${path}`);
    const [kind, user] = path.split('/').map(decodeURIComponent);
    if (kind !== 'grants') {
      return Promise.resolve(Response.json([]));
    }
    if (user === undefined) {
      const list = [...this.grants].map(([name, level]) => ({ user: name, level }));
      return Promise.resolve(Response.json(list));
    }
    if (user === 'nobody') {
      const problem = { code: 'user_not_found', detail: 'there is no such user here' };
      return Promise.resolve(Response.json(problem, { status: 404 }));
    }
    if (init.method === 'DELETE') {
      this.grants.delete(user);
      return Promise.resolve(new Response(null, { status: 204 }));
    }
    this.grants.set(user, JSON.parse(String(init.body)).level);
    return Promise.resolve(Response.json({}));
  };
}

let gateway: Gateway;
let model: ShareModel;

beforeEach(() => {
  gateway = new Gateway();
  vi.stubGlobal('fetch', gateway.fetch);
  model = new ShareModel(new Api(new URL('https://box/term/')), 'abc');
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe('grants', () => {
  test('are listed, given, changed and taken away', async () => {
    gateway.grants.set('ada', 'write');
    await model.refresh();
    expect(model.grants.value).toEqual([{ user: 'ada', level: 'write' }]);
    expect(await model.grant('bob@box', 'read')).toBe(true);
    expect(gateway.asked).toContain('PUT grants/bob%40box');
    expect(await model.grant('ada', 'read')).toBe(true);
    expect(model.grants.value).toEqual([
      { user: 'ada', level: 'read' },
      { user: 'bob@box', level: 'read' },
    ]);
    await model.removeGrant('ada');
    expect(model.grants.value).toEqual([{ user: 'bob@box', level: 'read' }]);
  });

  test('of somebody who is not there say so, and the next try starts anew', async () => {
    expect(await model.grant('nobody', 'write')).toBe(false);
    expect(model.problem.value).toBe('there is no such user here');
    expect(model.grants.value).toEqual([]);
    expect(await model.grant('ada', 'write')).toBe(true);
    expect(model.problem.value).toBe(undefined);
  });

  test('lead nowhere else, whatever is typed as a name', async () => {
    await model.grant('../shares/1', 'read');
    expect(gateway.asked[0]).toBe('PUT grants/..%2Fshares%2F1');
  });

  test('of a later or lying gateway are shown as the least, and as text', async () => {
    gateway.grants.set('a\u202eb', 'everything');
    await model.refresh();
    const [grant] = model.grants.value;
    expect(grant?.level).toBe('read');
    expect(grant?.user).not.toContain('\u202e');
  });
});
