/**
 * Pages of other origins in the browser of somebody who is logged in: rows A06 and A07. The worst
 * neighbour is another port of the same host, for which cookies know no difference.
 */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { launchBrowser, shoot, shows, Watched } from '../test/browser';
import { Gateway } from './gateway';

let browser: Browser;
let elsewhere: Server;
let gateway: Gateway;
let watched: Watched;

beforeAll(async () => {
  browser = await launchBrowser();
  elsewhere = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>elsewhere</title>');
  });
  elsewhere.listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
});
afterAll(async () => {
  elsewhere.close();
  await browser.close();
});
beforeEach(async () => {
  gateway = await Gateway.start();
  watched = await Watched.open(browser);
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') {
    const [page] = watched.context.pages();
    await (page && shoot(page, `failed ${task.name}`));
  }
  await watched.close();
  await gateway.stop();
});

/** Somebody logs in and has a shell; the session's id. */
async function logIn(): Promise<string> {
  const page = await watched.page(gateway.launchUrl);
  await page.waitForURL('**/s/*');
  await shows(page, 'ready>');
  return new URL(page.url()).pathname.replace('/s/', '');
}

function port(): number {
  return (elsewhere.address() as AddressInfo).port;
}

/** Where attacks come from: each is a page in the same browser, with the same cookies. */
const places: Record<string, () => Promise<Page>> = {
  'another port of the same host': () => watched.page(`http://127.0.0.1:${port()}/`),
  'another name of this machine': () => watched.page(`http://localhost:${port()}/`),
  'a data address': () => watched.page('data:text/html,<title>elsewhere</title>'),
  'an empty page': () => watched.page('about:blank'),
};

/** What became of a WebSocket: opened, or how it ended, and what it was told. */
async function socket(page: Page, address: string, protocols: string[]): Promise<string> {
  return page.evaluate(
    ([url, names]) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(url, names);
        let told = 0;
        socket.onopen = () => resolve('open');
        socket.onmessage = () => {
          told += 1;
        };
        socket.onclose = (event) => resolve(`closed ${event.code} after ${told} messages`);
      }),
    [address, protocols] as const,
  );
}

/** What the gateway itself says of its sessions, asked by a program of the same user. */
async function sessions(): Promise<unknown> {
  const response = await fetch(`${gateway.origin}api/sessions`, {
    headers: { authorization: `Bearer ${gateway.token()}` },
  });
  expect(response.status).toBe(200);
  const list = (await response.json()) as Record<string, unknown>[];
  return list.map(({ id, title, status, cols, rows }) => ({ id, title, status, cols, rows }));
}

describe.each(Object.keys(places))('from %s', (place) => {
  test('a06 no WebSocket opens, with the cookie of somebody who is logged in', async () => {
    const id = await logIn();
    const before = await sessions();
    const page = await (places[place] as () => Promise<Page>)();
    const base = `ws://127.0.0.1:${gateway.port}/ws`;
    for (const [query, protocols] of [
      [`?session=${id}`, ['hither.v1']],
      [`?sessionId=${id}`, []],
      ['', ['tty']],
    ] as const) {
      const ended = await socket(page, base + query, [...protocols]);
      expect(ended, query).toBe('closed 1006 after 0 messages');
    }
    expect(await sessions()).toEqual(before);
  });
});

describe.each(['another port of the same host', 'another name of this machine'])(
  'from %s',
  (place) => {
    test('a07 nothing changes, by form, fetch, image or beacon', async () => {
      const id = await logIn();
      const before = await sessions();
      const page = await (places[place] as () => Promise<Page>)();
      const answers: number[] = [];
      page.on('response', (response) => {
        if (response.url().startsWith(gateway.origin)) {
          answers.push(response.status());
        }
      });
      const targets = [
        ['POST', `${gateway.origin}api/sessions`, '{}'],
        ['POST', `${gateway.origin}api/sessions/${id}/input`, '{"data":"touch stolen\\n"}'],
        ['POST', `${gateway.origin}api/sessions/${id}/resize`, '{"cols":10,"rows":10}'],
        ['POST', `${gateway.origin}api/auth/logout-all`, '{}'],
        ['POST', `${gateway.origin}api/cleanup-exited`, '{}'],
        ['DELETE', `${gateway.origin}api/sessions/${id}`, ''],
      ] as const;
      const read = await page.evaluate(async (requests) => {
        const seen: string[] = [];
        for (const [method, url, body] of requests) {
          for (const type of ['text/plain', 'application/json']) {
            for (const mode of ['no-cors', 'cors'] as const) {
              const headers = { 'content-type': type };
              const options = { method, mode, headers, credentials: 'include' as const };
              try {
                const response = await fetch(url, body === '' ? options : { ...options, body });
                seen.push(await response.text());
              } catch {
                // The browser does not show what it may not show.
              }
            }
          }
          navigator.sendBeacon(url, body);
          const image = new Image();
          image.src = url;
          await image.decode().catch(() => undefined);
        }
        return seen.join('');
      }, targets);
      expect(read).toBe('');
      for (const [, url, body] of targets) {
        for (const enctype of ['text/plain', 'application/x-www-form-urlencoded']) {
          await submit(page, url, enctype, body);
        }
      }
      expect(answers.length).toBeGreaterThan(0);
      const refused = answers.filter((status) => status >= 400);
      expect(refused).toEqual(answers);
      expect(await sessions()).toEqual(before);
    });
  },
);

test('a06 a frame without an origin of its own opens no WebSocket', async () => {
  const id = await logIn();
  const page = await watched.page(`http://127.0.0.1:${port()}/`);
  await page.evaluate(() => {
    const frame = document.createElement('iframe');
    frame.sandbox.add('allow-scripts');
    frame.srcdoc = '<title>inside</title>';
    document.body.append(frame);
  });
  const frame = await (await page.waitForSelector('iframe')).contentFrame();
  const url = `ws://127.0.0.1:${gateway.port}/ws?session=${id}`;
  const ended = await frame?.evaluate(
    (address) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(address, 'hither.v1');
        socket.onopen = () => resolve('open');
        socket.onclose = (event) => resolve(`closed ${event.code}`);
      }),
    url,
  );
  expect(ended).toBe('closed 1006');
});

test('a06 the same WebSocket opens from the page of the gateway itself', async () => {
  await logIn();
  const opened: string[] = [];
  const page = await watched.context.newPage();
  page.on('websocket', (socket) => {
    socket.on('framereceived', () => opened.push(socket.url()));
  });
  await page.goto(gateway.origin);
  await page.getByRole('button', { name: 'New session' }).first().click();
  await shows(page, 'ready>');
  expect(opened.length).toBeGreaterThan(0);
});

/** Submits a form into a frame, so that the page stays, and waits for the answer. */
async function submit(page: Page, url: string, enctype: string, body: string): Promise<void> {
  const answered = page.waitForResponse((response) => response.url() === url);
  await page.evaluate(
    ([action, type, text]) => {
      const frame = document.createElement('iframe');
      frame.name = `f${Math.random()}`;
      const form = document.createElement('form');
      Object.assign(form, { method: 'POST', action, target: frame.name });
      form.setAttribute('enctype', type);
      const field = document.createElement('input');
      // As text it is a body in JSON, all but the equals sign, which hides in a string.
      Object.assign(field, { name: text.replace(/}$/, ',"x":"'), value: '"}' });
      form.append(field);
      (document.body ?? document.documentElement).append(frame, form);
      form.submit();
    },
    [url, enctype, body] as const,
  );
  await answered;
}
