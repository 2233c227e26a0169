/** The page of a session: typing, pasting, its size and what is around it. */
import { describe, expect, test } from 'vitest';
import { pasteText, shoot, shows } from './browser';
import { fill, open, openLike, received, session, watched } from './session-fixture';

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
    await openLike({
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
    await openLike({
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
