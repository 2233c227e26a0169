/** The page of a session: a link that is lost and found, and the end of the program. */
import { describe, expect, test } from 'vitest';
import { screenText, shoot, shows } from './browser';
import { idOf } from './double';
import { double, fill, open, received, session, watched } from './session-fixture';

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
