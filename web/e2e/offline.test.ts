/** What a person types while the network is gone, between a real browser and a real gateway. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { launchBrowser, screenText, shoot, shows, Watched } from '../test/browser';
import { Cuttable } from './cuttable';
import { Gateway } from './gateway';

let gateway: Gateway;
let link: Cuttable;
let browser: Browser;
let watched: Watched;

beforeEach(async () => {
  gateway = await Gateway.start();
  link = await Cuttable.start(Number(gateway.port));
  // The page keeps the gateway's own address, which is checked, and goes through the relay.
  const rule = `MAP 127.0.0.1:${gateway.port} 127.0.0.1:${link.port}`;
  browser = await launchBrowser([`--host-resolver-rules=${rule}`]);
  watched = await Watched.open(browser, {});
});
afterEach(async () => {
  await watched.close();
  await browser.close();
  link.stop();
  await gateway.stop();
  expect(watched.complaints).toEqual([]);
});

/** A shell that appends every line that it reads to a file. */
async function openNotebook(): Promise<Page> {
  const page = await watched.page(gateway.launchUrl);
  await page.waitForURL('**/s/*');
  await shows(page, 'ready>');
  await page.keyboard.type(
    'echo open; while read line; do echo "$line" >>notes; echo "noted $line"; done\n',
  );
  await shows(page, /^open$/);
  await page.keyboard.type('first\n');
  await shows(page, /^noted first$/);
  return page;
}

function notes(): string {
  return readFileSync(join(gateway.home, 'notes'), 'utf8');
}

/** Presses the button in one step: the page tries by itself too, and takes it away when it does. */
async function retryNow(page: Page): Promise<void> {
  await page.evaluate(() => {
    const buttons = Array.from(document.querySelectorAll<HTMLElement>('.banner button'));
    buttons.find(({ textContent }) => textContent === 'Retry now')?.click();
  });
}

async function isBack(page: Page): Promise<void> {
  await page.locator('.banner').waitFor({ state: 'detached' });
}

describe('the network', () => {
  test('is cut while somebody types: it waits, is shown, and arrives once', async () => {
    const page = await openNotebook();
    for (const word of ['second', 'third', 'fourth']) {
      link.cut();
      await page.getByText('Connection lost. The session goes on.').waitFor();
      const before = await screenText(page);
      await page.keyboard.type(`${word}\n`);
      await page.getByText(`${word.length + 1} bytes of typing will be sent`).waitFor();
      expect(await screenText(page)).toBe(before);
      link.mend();
      await retryNow(page);
      await shows(page, new RegExp(`^noted ${word}$`));
      await isBack(page);
    }
    expect(notes()).toBe('first\nsecond\nthird\nfourth\n');
    await shoot(page, 'e2e-after-cuts');
  });

  test('is cut in the middle of a flood of keys: each arrives once, in order', async () => {
    const page = await openNotebook();
    const lines = Array.from({ length: 60 }, (_, index) => `line-${index}`);
    for (const [index, line] of lines.entries()) {
      if (index % 20 === 10) {
        link.cut();
        link.mend();
      }
      await page.keyboard.type(`${line}\n`);
    }
    await shows(page, /^noted line-59$/);
    await isBack(page);
    expect(notes()).toBe(`first\n${lines.join('\n')}\n`);
  });

  test('goes silent without a word: the page finds out and comes back by itself', async () => {
    const page = await openNotebook();
    link.goSilent();
    await page.keyboard.type('into the void\n');
    await page.getByText('The server does not answer. 14 bytes of typing').waitFor();
    // Somebody comes back to the page: a link that does not answer is given up soon.
    await page.evaluate(() => window.dispatchEvent(new Event('online')));
    link.mend();
    await shows(page, /^noted into the void$/);
    await isBack(page);
    expect(notes()).toBe('first\ninto the void\n');
  });

  test('what was typed while it was gone can be dropped', async () => {
    const page = await openNotebook();
    link.cut();
    await page.keyboard.type('rm -rf everything\n');
    await page.getByRole('button', { name: 'Drop it' }).click();
    link.mend();
    await retryNow(page);
    await isBack(page);
    await page.keyboard.type('something else\n');
    await shows(page, /^noted something else$/);
    await vi.waitUntil(() => notes() === 'first\nsomething else\n');
  });
});
