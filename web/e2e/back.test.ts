/** Leaving the page of a session and coming back with the browser's own button. */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { launchBrowser, screenText, shows, Watched } from '../test/browser';
import { Gateway } from './gateway';

let gateway: Gateway;
let browser: Browser;
let watched: Watched;

beforeEach(async () => {
  gateway = await Gateway.start();
});
afterEach(async () => {
  await watched.close();
  await browser.close();
  await gateway.stop();
  expect(watched.complaints).toEqual([]);
});

/** What a page says first on each connection. */
interface Hello {
  readonly client: string;
  readonly resume?: number;
}

/** Every hello of a page, in order. */
function hellos(page: Page): Hello[] {
  const found: Hello[] = [];
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      if (payload[0] === 1 && typeof payload !== 'string') {
        found.push(JSON.parse(payload.subarray(1).toString()) as Hello);
      }
    }),
  );
  return found;
}

/** A page that was left and come back to. */
interface Back {
  readonly page: Page;
  /** It is the one that was left, with all that was in its memory. */
  readonly kept: boolean;
  /** Why it was not, as the browser says. */
  readonly reasons: unknown;
  readonly said: readonly Hello[];
}

/** Leaves a shell that writes thirty lines while nobody looks, and comes back to it. */
async function leaveAndComeBack(without: readonly string[]): Promise<Back> {
  browser = await launchBrowser([], without);
  watched = await Watched.open(browser, {});
  const gate = join(gateway.home, 'gate');
  execFileSync('mkfifo', [gate]);
  const page = await watched.context.newPage();
  const said = hellos(page);
  await page.goto(gateway.launchUrl);
  await page.waitForURL('**/s/*');
  await shows(page, 'ready>');
  await page.keyboard.type('clear; echo waits; read word <gate; seq -f "line %g" 30 | cat\n');
  await shows(page, /^waits$/);
  await page.evaluate(() => Reflect.set(window, 'left', true));
  await page.goto(gateway.origin);
  writeFileSync(gate, 'go\n');
  // A page that comes out of the cache is not loaded.
  await page.goBack({ waitUntil: 'commit' });
  await shows(page, /^line 30$/);
  const kept = await page.evaluate(() => Reflect.get(window, 'left') === true);
  const reasons = await page.evaluate(() => {
    const [navigation] = performance.getEntriesByType('navigation');
    return navigation && Reflect.get(navigation, 'notRestoredReasons');
  });
  return { page, kept, reasons, said };
}

/** Nothing is missing and nothing is there twice, and what is typed now arrives once. */
async function checkScreen(page: Page): Promise<void> {
  const lines = (await screenText(page)).split('\n').filter((line) => line.startsWith('line '));
  expect(lines).toEqual(Array.from({ length: 30 }, (_, index) => `line ${index + 1}`));
  await page.keyboard.type('echo typed once\n');
  await shows(page, /^typed once$/);
  const typed = (await screenText(page)).split('\n').filter((line) => line === 'typed once');
  expect(typed).toHaveLength(1);
}

test('the page comes out of the cache and goes on at its offset', async () => {
  // playwright switches the back/forward cache off unless it is told not to.
  const { page, kept, reasons, said } = await leaveAndComeBack(['--disable-back-forward-cache']);
  expect({ kept, reasons }).toEqual({ kept: true, reasons: null });
  await checkScreen(page);
  const [before, after] = said;
  expect(said).toHaveLength(2);
  expect(before).not.toHaveProperty('resume');
  expect(after).toMatchObject({ client: before?.client, resume: expect.any(Number) });
});

test('without that cache the page is loaded again and shows the same', async () => {
  const { page, kept, said } = await leaveAndComeBack([]);
  expect(kept).toBe(false);
  await checkScreen(page);
  expect(said).toHaveLength(2);
  expect(said[1]).not.toHaveProperty('resume');
});
