/** What the tests of a session's page share: a browser, a gateway that says what they want, a session. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { launchBrowser, Watched } from './browser';
import { Double } from './double';
import type { DoubleSession } from './double-session';

let browser: Browser;
export let double: Double;
export let watched: Watched;
export let session: DoubleSession;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  double = await Double.start();
  session = double.add('one', { title: 'ada@lab: ~/src/hither' });
  watched = await Watched.open(browser, { colorScheme: 'dark' });
});
afterEach(async () => {
  await watched.close();
  await double.stop();
  expect(watched.complaints).toEqual([]);
});

export const PROMPT = '\u001b[1;32mada@lab\u001b[0m:\u001b[1;34m~/src/hither\u001b[0m$ ';

export function fill(): void {
  session.emit(
    [
      `${PROMPT}git log --oneline -3`,
      '\u001b[33m88056c5\u001b[0m core: viewers, numbered input, window size and pace',
      '\u001b[33m9065261\u001b[0m pty: shared memory and a journal that survives kill -9',
      '\u001b[33m202b88d\u001b[0m core: history arithmetic, the journal and the flow window',
      `${PROMPT}ls --color`,
      '\u001b[34mcrates\u001b[0m  \u001b[34mdocs\u001b[0m  \u001b[34mweb\u001b[0m  Cargo.toml  \u001b[32mrun.sh\u001b[0m  \u001b[36mlink\u001b[0m  \u001b[31mbroken.tar\u001b[0m',
      `${PROMPT}cargo test -p hither-core`,
      '   \u001b[1;32mCompiling\u001b[0m hither-core v0.1.0',
      '    \u001b[1;32mFinished\u001b[0m `test` profile in 4.02s',
      'test result: \u001b[32mok\u001b[0m. 214 passed; 0 failed; see https://example.org/report',
      '한글 日本語 👩‍👩‍👧‍👦 🇩🇪 👍🏽 é \u001b[38;2;240;140;60mtruecolor\u001b[0m \u001b[4:3;58;2;255;80;80mcurly\u001b[0m \u001b[7minverse\u001b[0m \u001b[2mdim\u001b[0m',
      PROMPT,
    ].join('\r\n'),
  );
}

export async function open(): Promise<Page> {
  const page = await watched.page(double.page('one'));
  await session.until(({ viewerCount }) => viewerCount > 0);
  return page;
}

export const received = () => session.received.toString();

/** Another browser window in place of the usual one. */
export async function openLike(options: BrowserContextOptions): Promise<void> {
  await watched.close();
  watched = await Watched.open(browser, options);
}
