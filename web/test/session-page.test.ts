/** The session page against a server that lies, stalls and hangs up. */

import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { launchBrowser, pasteText, screenText, shoot, shows, Watched } from './browser';
import { Double, idOf } from './double';
import type { DoubleSession } from './double-session';

let browser: Browser;
let double: Double;
let watched: Watched;
let session: DoubleSession;

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

const PROMPT = '\u001b[1;32mada@lab\u001b[0m:\u001b[1;34m~/src/hither\u001b[0m$ ';

function fill(): void {
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

async function open(): Promise<Page> {
  const page = await watched.page(double.page('one'));
  await session.until(({ viewerCount }) => viewerCount > 0);
  return page;
}

const received = () => session.received.toString();

describe('typing and output', () => {
  test('goes both ways, with widths, colours and the title', async () => {
    fill();
    session.echo = true;
    const page = await open();
    await shows(page, 'truecolor');
    await page.keyboard.type('echo hi');
    await shows(page, '$ echo hi');
    expect(received()).toBe('echo hi');
    expect(await page.title()).toBe('ada@lab: ~/src/hither');
    await shoot(page, 'session-dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await shoot(page, 'session-light');
  });

  test('Ctrl+C goes to the program, Ctrl+Shift+C copies', async () => {
    await watched.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    session.emit('copy-me\r\n');
    const page = await open();
    await shows(page, 'copy-me');
    await page.keyboard.press('Control+c');
    await session.until(() => received() === '\u0003');
    await page.locator('.xterm-screen').dblclick({ position: { x: 20, y: 8 } });
    await page.keyboard.press('Control+Shift+C');
    await page.getByText('Copied').waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('copy-me');
    expect(received()).toBe('\u0003');
  });

  test('acknowledges output as it is processed', async () => {
    const page = await open();
    session.emit('0123456789'.repeat(5_000));
    session.emit('\r\nend of it');
    await shows(page, 'end of it');
    await session.until(({ acks }) => acks.some((offset) => offset >= 50_000 - 8_192));
    // The first is for the snapshot.
    expect(session.acks[0]).toBe(0);
    expect(session.acks.every((offset, index) => offset > (session.acks[index - 1] ?? -1))).toBe(
      true,
    );
    expect(session.acks.length).toBeLessThanOrEqual(8);
  });

  test('answers no query, neither live nor from a snapshot', async () => {
    const queries = [
      '\u001b[c',
      '\u001b[>c',
      '\u001b[=c',
      '\u001b[5n',
      '\u001b[6n',
      '\u001b[?6n',
      '\u001b[?996n',
      '\u001b[4$p',
      '\u001b[?1$p',
      '\u001b[?2026$p',
      '\u001b[14t',
      '\u001b[16t',
      '\u001b[18t',
      '\u001b[21t',
      '\u001b[>q',
      '\u001b[?u',
      '\u001b[x',
      '\u001b]4;1;?\u0007',
      '\u001b]10;?\u0007',
      '\u001b]11;?\u001b\\',
      '\u001b]12;?\u0007',
      '\u001b]10;?;?;?\u0007',
      '\u001b]52;c;?\u0007',
      '\u001bP$qm\u001b\\',
      '\u001bP$q"p\u001b\\',
      '\u001bP+q544e\u001b\\',
      '\u0005',
      '\u001bZ',
      '\u001b[?1004h',
    ].join('');
    session.emit(queries);
    const page = await open();
    session.emit(queries);
    session.emit('\u001b[?1004lquiet');
    await shows(page, 'quiet');
    await page.keyboard.type('x');
    await session.until(() => received().endsWith('x'));
    expect(received()).toBe('x');
  });

  test('a bell is seen, and remembered while nobody looks', async () => {
    const page = await open();
    await shows(page, '');
    session.ring();
    await page.locator('.stage[data-bell]').waitFor();
    const other = await watched.context.newPage();
    await other.bringToFront();
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { value: true, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    session.ring();
    await page.waitForFunction(() => document.title.startsWith('● '));
    await page.evaluate(() => {
      Reflect.deleteProperty(document, 'hidden');
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await page.waitForFunction(() => !document.title.startsWith('● '));
  });

  test('hostile titles are text, in the page and in its title', async () => {
    const page = await open();
    session.setTitle('<script>alert(1)</script>\u001b]0;x\u0007\u202eevil');
    await page.getByRole('heading', { name: '<script>alert(1)</script>' }).waitFor();
    expect(await page.title()).toBe('<script>alert(1)</script> ]0;x evil');
  });

  test('links are http(s) only, show where they lead, and open without an opener', async () => {
    session.emit(
      '\u001b]8;;javascript:alert(1)\u0007bad link\u001b]8;;\u0007\r\n' +
        '\u001b]8;;https://example.org/deep\u0007good link\u001b]8;;\u0007\r\n',
    );
    const page = await open();
    await shows(page, 'good link');
    await watched.context.route('https://example.org/**', (route) =>
      route.fulfill({ body: 'far' }),
    );
    const screen = page.locator('.xterm-screen');
    await screen.hover({ position: { x: 20, y: 8 } });
    await screen.hover({ position: { x: 24, y: 24 } });
    await page.getByText('https://example.org/deep').waitFor();
    await screen.click({ position: { x: 20, y: 8 } });
    const popup = watched.context.waitForEvent('page');
    await screen.click({ position: { x: 24, y: 24 } });
    const far = await popup;
    await far.waitForURL('https://example.org/deep');
    expect(await far.evaluate(() => window.opener)).toBeNull();
    expect(watched.context.pages()).toHaveLength(2);
  });
});

describe('paste', () => {
  test('cannot leave its bracket', async () => {
    session.emit('\u001b[?2004h$ ');
    const page = await open();
    await shows(page, '$');
    await pasteText(page, 'ls \u001b[201~\nid\n\u0003');
    await session.until(() => received().endsWith('\u001b[201~'));
    expect(received()).toBe('\u001b[200~ls [201~\rid\r\u001b[201~');
  });

  test('of several lines is asked about when the program does not mark pastes', async () => {
    fill();
    const page = await open();
    await shows(page, 'truecolor');
    const lines = ['cd /tmp', 'rm -rf build', ...Array.from({ length: 20 }, (_, i) => `step ${i}`)];
    await pasteText(page, lines.join('\n'));
    const dialog = page.getByRole('dialog', { name: 'Paste 22 lines?' });
    await dialog.waitFor();
    await shoot(page, 'paste-dialog');
    expect(received()).toBe('');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await pasteText(page, 'one line');
    await session.until(() => received() === 'one line');
    await pasteText(page, 'a\nb');
    await page.getByRole('button', { name: 'Paste' }).click();
    // The keyboard is the terminal's again.
    await page.keyboard.type('!');
    await session.until(() => received() === 'one linea\rb!');
  });

  test('of three megabytes arrives whole, and its rest can be stopped', async () => {
    session.emit('\u001b[?2004h');
    const page = await open();
    const paste = Array.from(
      { length: 50_000 },
      (_, i) => `line ${i} of a long, long paste, with words`,
    ).join('\n');
    await pasteText(page, paste);
    await session.until(() => received().endsWith('\u001b[201~'));
    expect(received()).toBe(`\u001b[200~${paste.replaceAll('\n', '\r')}\u001b[201~`);
    session.acknowledges = false;
    await pasteText(page, paste);
    await page.getByText(/Sending the paste/).waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.waitForFunction(() => /1 MB to go/.test(document.body.textContent));
  });
});

describe('the link', () => {
  test('is lost and found: the screen stays, typed keys arrive once', async () => {
    fill();
    session.echo = true;
    const page = await open();
    await shows(page, 'truecolor');
    await page.keyboard.type('ls');
    await shows(page, '$ ls');
    double.reachable = false;
    session.hangUp();
    await page.getByText('Connection lost. The session goes on.').waitFor();
    await page.keyboard.type(' -l');
    await page.getByText('3 bytes of typing will be sent').waitFor();
    expect(await screenText(page)).toContain('$ ls');
    await shoot(page, 'banner');
    session.emit(' (meanwhile)');
    await page.getByText(/Next try in ([4-9]|1\d) s/).waitFor();
    double.reachable = true;
    await page.getByRole('button', { name: 'Retry now' }).click();
    await shows(page, '$ ls (meanwhile) -l');
    await page.locator('.banner').waitFor({ state: 'detached' });
    expect(received()).toBe('ls -l');
    expect(session.hellos.at(-1)).toHaveProperty('resume');
  });

  test('what was typed can be dropped', async () => {
    const page = await open();
    double.reachable = false;
    session.hangUp();
    await page.keyboard.type('rm -rf /');
    await page.getByRole('button', { name: 'Drop it' }).click();
    double.reachable = true;
    await session.until(({ viewerCount }) => viewerCount > 0);
    await page.keyboard.type('ls');
    await session.until(() => received() === 'ls');
  });

  test('input that was sent but not acknowledged is not typed twice', async () => {
    session.acknowledges = false;
    const page = await open();
    await page.keyboard.type('once');
    await session.until(() => received() === 'once');
    session.hangUp();
    await session.until(({ hellos, viewerCount }) => hellos.length > 1 && viewerCount > 0);
    session.acknowledges = true;
    await page.keyboard.type('!');
    await session.until(() => received().endsWith('!'));
    expect(received()).toBe('once!');
  });

  test('a skip is announced, and the screen is the present one', async () => {
    session.emit('old screen');
    const page = await open();
    await shows(page, 'old screen');
    double.reachable = false;
    session.hangUp();
    await page.getByText('Connection lost').waitFor();
    session.skip(5_000_000, 'new screen');
    double.reachable = true;
    await page.getByText('Skipped 5 MB of output to catch up').waitFor();
    await shows(page, 'new screen');
    expect(await screenText(page)).not.toContain('old screen');
    await shoot(page, 'skipped');
  });

  test('goes through the back/forward cache', async () => {
    session.emit('still here');
    const page = await open();
    await shows(page, 'still here');
    await page.evaluate(() => {
      window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
    });
    await session.until(({ viewerCount }) => viewerCount === 0);
    session.emit(', and more');
    await page.evaluate(() => {
      window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
    });
    await shows(page, 'still here, and more');
    expect(session.hellos).toHaveLength(2);
  });

  test('that is refused says why', async () => {
    double.guarded = true;
    const page = await watched.page(double.page('one'));
    await page.getByRole('heading', { name: 'This page needs a fresh link' }).waitFor();
    double.guarded = false;
    await page.goto(double.page('missing'));
    await page.getByRole('heading', { name: 'No such session' }).waitFor();
  });
});

describe('size', () => {
  test('follows this window, and changes with it', async () => {
    const page = await open();
    const before = { ...session.facts };
    await page.setViewportSize({ width: 700, height: 500 });
    await session.until(({ facts }) => facts.cols < before.cols && facts.rows < before.rows);
    await page.getByText(`${session.facts.cols}×${session.facts.rows}`).waitFor();
    await page.getByRole('button', { name: 'Menu' }).click();
    await page.getByRole('menuitem', { name: 'Larger text' }).click();
    const { cols } = session.facts;
    await page.getByRole('menuitem', { name: 'Larger text' }).click();
    await session.until(({ facts }) => facts.cols < cols);
    await page.reload();
    await session.until(({ hellos }) => (hellos.at(-1)?.size?.cols ?? 999) <= session.facts.cols);
  });

  test('of somebody else is framed, shrunk when it must be, and taken over by a click', async () => {
    fill();
    const page = await open();
    await shows(page, 'truecolor');
    const own = { ...session.facts };
    session.resize(90, 24, 99);
    await page.locator('.stage[data-letterbox]').waitFor();
    await page.waitForFunction(() => document.querySelectorAll('.xterm-rows > div').length === 24);
    await shoot(page, 'letterbox');
    session.resize(220, 60, 99);
    await page.waitForFunction(() => document.querySelectorAll('.xterm-rows > div').length === 60);
    const [stage, screen] = await Promise.all([
      page.locator('.stage').boundingBox(),
      page.locator('.xterm-screen').boundingBox(),
    ]);
    expect(screen?.width).toBeLessThanOrEqual(stage?.width ?? 0);
    expect(screen?.height).toBeLessThanOrEqual(stage?.height ?? 0);
    await shoot(page, 'letterbox-shrunk');
    await page.getByRole('button', { name: 'size follows the last typist: 220×60' }).click();
    await session.until(({ facts }) => facts.cols === own.cols && facts.rows === own.rows);
    await page.locator('.stage:not([data-letterbox])').waitFor();
  });
});

describe('the end', () => {
  test('keeps the screen and says the status', async () => {
    fill();
    const page = await open();
    await shows(page, 'truecolor');
    const { rows } = session.facts;
    session.emit(`\u001b[${rows};1Hlast row`);
    await shows(page, 'last row');
    session.exit({ kind: 'code', code: 3 });
    await page.getByRole('heading', { name: 'Exited with status 3' }).waitFor();
    expect(await screenText(page)).toContain('truecolor');
    await page.waitForFunction(() => {
      const bottom = (selector: string) =>
        document.querySelector(selector)?.getBoundingClientRect().bottom ?? Number.NaN;
      return bottom('.xterm-screen') <= bottom('.stage');
    });
    await shoot(page, 'exit');
    await page.getByRole('button', { name: 'New session' }).click();
    await page.waitForURL(`**/s/${idOf('newa')}`);
  });

  test('is asked about first, and told', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Menu' }).click();
    await shoot(page, 'menu');
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await dialog.getByRole('button', { name: 'Close session' }).click();
    await page.getByRole('heading', { name: 'Session closed' }).waitFor();
    expect(double.sessions.has(idOf('one'))).toBe(false);
  });
});

describe('the chrome', () => {
  test('searches', async () => {
    fill();
    const page = await open();
    await shows(page, 'truecolor');
    await page.keyboard.press('Control+Shift+F');
    const field = page.getByRole('textbox', { name: 'Search in the terminal' });
    await field.fill('core');
    await page.getByText(/of 4/).waitFor();
    await shoot(page, 'search');
    await field.fill('nowhere');
    await page.getByText('no match').waitFor();
    await page.keyboard.press('Escape');
    await field.waitFor({ state: 'detached' });
    await page.keyboard.type('x');
    await session.until(() => received() === 'x');
  });

  test('has keys for fingers', async () => {
    await watched.close();
    watched = await Watched.open(browser, {
      colorScheme: 'dark',
      hasTouch: true,
      isMobile: true,
      viewport: { width: 390, height: 780 },
      deviceScaleFactor: 2,
    });
    fill();
    const page = await open();
    await shows(page, 'truecolor');
    const tap = (name: string) => page.getByRole('button', { name, exact: true }).tap();
    await tap('Esc');
    await tap('Up');
    session.emit('\u001b[?1h');
    await tap('Ctrl');
    await shoot(page, 'phone');
    await page.keyboard.type('c');
    await tap('Alt');
    await tap('Left');
    await session.until(() => received() === '\u001b\u001b[A\u0003\u001b[1;3D');
  });

  test('scrolls under a finger', async () => {
    await watched.close();
    watched = await Watched.open(browser, {
      hasTouch: true,
      viewport: { width: 390, height: 780 },
    });
    session.emit(Array.from({ length: 200 }, (_, i) => `row ${i}`).join('\r\n'));
    const page = await open();
    await shows(page, 'row 199');
    const devtools = await watched.context.newCDPSession(page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', y: number) =>
      devtools.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: type === 'touchEnd' ? [] : [{ x: 150, y }],
      });
    await touch('touchStart', 200);
    for (let y = 210; y <= 700; y += 35) {
      await touch('touchMove', y);
    }
    await touch('touchEnd', 700);
    await page.waitForFunction(
      () => !document.querySelector('.xterm-rows')?.textContent?.includes('row 199'),
    );
    expect(received()).toBe('');
    // A full-screen program has no scrollback: it gets arrow keys, as it does from a wheel.
    session.emit('\u001b[?1049hpager');
    await shows(page, 'pager');
    await touch('touchStart', 300);
    await touch('touchMove', 250);
    await touch('touchEnd', 250);
    await session.until(() => received().startsWith('\u001b[B'));
  });

  test('serves screen readers on demand', async () => {
    fill();
    const page = await open();
    await page.getByRole('button', { name: 'Menu' }).click();
    await page.getByRole('menuitemcheckbox', { name: 'Screen reader mode' }).click();
    await page.locator('.xterm-accessibility-tree').getByText('Cargo.toml').waitFor();
  });
});
