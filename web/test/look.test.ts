import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, shoot, shows, Watched } from './browser';
import { Double } from './double';

let browser: Browser;
let double: Double;
beforeAll(async () => {
  browser = await launchBrowser();
  double = await Double.start();
});
afterAll(async () => {
  await browser.close();
  await double.stop();
});

test('session', async () => {
  const watched = await Watched.open(browser);
  const session = double.add('one');
  session.emit(
    '\u001b[1;32mada@lab\u001b[0m:\u001b[1;34m~/src\u001b[0m$ ls\r\nhello world https://example.org/x\r\n\u001b[38;2;200;120;40mtruecolor\u001b[0m 한글 👩‍👩‍👧‍👦 é\r\n$ ',
  );
  const page = await watched.page(`${double.url}s/one`);
  await shows(page, 'hello world');
  await shoot(page, 'session-dark');
  expect(watched.complaints).toEqual([]);
  await watched.close();
});
