/** The session page against the real gateway, real shells and real programs. */

import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { pasteText, screenText, shoot, shows } from '../test/browser';
import { Fixture } from './fixture';

const fixture = new Fixture();

/** The shell that a launch link opens. */
async function openShell(): Promise<Page> {
  const page = await fixture.watched.page(fixture.gateway.launchUrl);
  await page.waitForURL('**/s/*');
  await shows(page, 'ready>');
  return page;
}

async function run(page: Page, command: string): Promise<void> {
  await page.keyboard.type(command);
  await page.keyboard.press('Enter');
}

/** Where the last character of the row that reads `row` is drawn, in columns from 0. */
async function columnOfLastCharacter(page: Page, row: string): Promise<number> {
  return page.evaluate((text) => {
    const rows = Array.from(document.querySelectorAll('.xterm-rows > div'));
    const found = rows.find((element) => element.textContent?.trimEnd() === text);
    const walker = document.createTreeWalker(found ?? document.body, NodeFilter.SHOW_TEXT);
    let last = walker.nextNode();
    for (let node = last; node !== null; node = walker.nextNode()) {
      last = node.textContent?.trim() ? node : last;
    }
    const range = document.createRange();
    const end = last?.textContent?.trimEnd().length ?? 0;
    range.setStart(last ?? document, end - 1);
    range.setEnd(last ?? document, end);
    const screen = document.querySelector('.xterm-screen')?.getBoundingClientRect();
    const [cols] = (document.querySelector('.chip-size')?.textContent ?? '').split('×');
    const cell = (screen?.width ?? 0) / Number(cols);
    return Math.round((range.getBoundingClientRect().left - (screen?.left ?? 0)) / cell);
  }, row);
}

describe('a shell', () => {
  test('opens from the printed address, runs a command, and exits with its status', async () => {
    const page = await openShell();
    await run(page, 'echo $((6 * 7)) it is');
    await shows(page, /^42 it is$/);
    await shoot(page, 'e2e-shell');
    await run(page, 'exit 7');
    await page.getByRole('heading', { name: 'Exited with status 7' }).waitFor();
    expect(await screenText(page)).toContain('42 it is');
  });

  test('keeps its screen through a reload', async () => {
    const page = await openShell();
    await run(page, 'printf "\\e[31mred\\e[0m and plain\\n"; seq 3');
    await shows(page, /^3$/);
    const before = await screenText(page);
    await page.reload();
    await shows(page, 'red and plain');
    await shows(page, /^3$/);
    expect(await screenText(page)).toBe(before);
    await run(page, 'echo again');
    await shows(page, /^again$/);
  });

  test('is one for two tabs', async () => {
    const first = await openShell();
    const second = await fixture.watched.page(first.url());
    await shows(second, 'ready>');
    await run(first, 'echo from the first');
    await shows(second, /^from the first$/);
    await run(second, 'echo from the second');
    await shows(first, /^from the second$/);
    await first.locator('.chip[title="2 viewers"]').waitFor();
    expect(await screenText(first)).toBe(await screenText(second));
  });

  test('has the size of its window', async () => {
    const page = await openShell();
    // The shell may have shown its prompt already when the new size comes: a line of its own.
    await run(page, 'trap "echo; echo size \\$(stty size)" WINCH; echo size $(stty size)');
    await shows(page, /^size \d+ \d+$/);
    await page.setViewportSize({ width: 640, height: 400 });
    await page.waitForFunction(() =>
      /^\d+×\d+$/.test(document.querySelector('.chip-size')?.textContent ?? ''),
    );
    await page.waitForFunction(() => {
      const rows = Array.from(document.querySelectorAll('.xterm-rows > div'), (row) =>
        (row.textContent ?? '').trim(),
      );
      const [cols, lines] = (document.querySelector('.chip-size')?.textContent ?? '').split('×');
      return rows.includes(`size ${lines} ${cols}`) && rows.length === Number(lines);
    });
  });

  test('shows wide, combined and joined characters in the right cells', async () => {
    const page = await openShell();
    // Columns: 4 1 6 1 2 1 2 1 2 1 2 1 1 1 1 1 2.
    const sample = '한글 日本語 👩‍👩‍👧‍👦 🇩🇪 👍🏽 ❤️ e\u0301 नि 1️⃣';
    const columns = 30;
    writeFileSync(join(fixture.gateway.home, 'sample.txt'), `${sample}|\n`);
    await run(page, 'cat sample.txt');
    await shows(page, `${sample}|`);
    expect(await columnOfLastCharacter(page, `${sample}|`)).toBe(columns);
    await shoot(page, 'e2e-unicode');
    await page.reload();
    await shows(page, `${sample}|`);
    expect(await columnOfLastCharacter(page, `${sample}|`)).toBe(columns);
  });

  test('does not let its titles be anything but text', async () => {
    const page = await openShell();
    await run(page, "printf '\\e]0;<img src=x onerror=alert(1)>\\u202e\\a'");
    await page.getByRole('heading', { name: '<img src=x onerror=alert(1)>' }).waitFor();
    expect(await page.title()).toBe('<img src=x onerror=alert(1)>');
    await page.goto(fixture.gateway.origin);
    await page.getByText('<img src=x onerror=alert(1)>').waitFor();
    expect(await page.locator('img').count()).toBe(0);
  });
});

describe('programs', () => {
  test('vim edits and saves', async () => {
    const page = await openShell();
    await run(page, 'vim -u NONE -N note.txt');
    await shows(page, /^~$/);
    await page.keyboard.type('ihello from vim');
    await shows(page, /^hello from vim$/);
    await page.keyboard.press('Escape');
    await page.keyboard.type(':wq');
    await page.keyboard.press('Enter');
    await shows(page, /ready> $|ready>$/);
    await run(page, 'cat note.txt && echo saved');
    await shows(page, /^saved$/);
    expect(readFileSync(join(fixture.gateway.home, 'note.txt'), 'utf8')).toBe('hello from vim\n');
    expect(await screenText(page)).not.toMatch(/^~$/m);
  });

  test('less scrolls, survives a reload, and leaves the screen as it was', async () => {
    const page = await openShell();
    await run(page, 'echo before; seq 1000 | less');
    await shows(page, /^1\n2\n3$/);
    await page.keyboard.type('G');
    await shows(page, /^1000$/);
    await page.reload();
    await shows(page, /^999\n1000$/);
    await page.keyboard.type('q');
    await shows(page, /^before$/);
    expect(await screenText(page)).not.toMatch(/^1000$/m);
  });

  test('a flood is stopped by Ctrl+C', async () => {
    const page = await openShell();
    await run(page, 'yes flooding the screen');
    await shows(page, /(flooding the screen\n){5}/);
    await page.keyboard.press('Control+c');
    await shows(page, /\^C[\s\S]*ready>\s*$/);
    await run(page, 'echo still here');
    await shows(page, /^still here$/);
  });

  test('a paste of a megabyte arrives byte for byte', async () => {
    const page = await openShell();
    const lines = Array.from(
      { length: 16_000 },
      (_, i) => `${i} ${'äöü€ words and words'.repeat(3)}`,
    );
    const text = `${lines.join('\n')}\n`;
    expect(Buffer.byteLength(text)).toBeGreaterThan(1_000_000);
    await run(page, 'echo waiting; cat > paste.txt; sha256sum paste.txt');
    await shows(page, /^waiting$/);
    await pasteText(page, text);
    await page.getByRole('dialog').getByRole('button', { name: 'Paste' }).click();
    // Not the echo: the kernel drops what does not fit, and holds the rest until the next key.
    const pasted = join(fixture.gateway.home, 'paste.txt');
    await vi.waitUntil(() => statSync(pasted).size === Buffer.byteLength(text), 30_000);
    await page.keyboard.press('Control+d');
    await shows(page, createHash('sha256').update(text).digest('hex').slice(0, 60));
    expect(readFileSync(pasted, 'utf8')).toBe(text);
  });
});

describe('the gateway', () => {
  test('is killed and comes back: the page does too, and so does the session', async () => {
    const page = await openShell();
    await run(page, 'echo waiting; for i in 1 2 3; do read line; echo "got $line"; done');
    // Keys that come while the shell still owns the terminal's modes may be mangled by it.
    await shows(page, /^waiting$/);
    await run(page, 'one');
    await shows(page, /^got one$/);
    const before = await screenText(page);
    await fixture.gateway.kill();
    await page.getByText('The session goes on.').waitFor();
    expect(await screenText(page)).toBe(before);
    await page.keyboard.type('two\n');
    await fixture.gateway.start();
    await shows(page, /^got two$/);
    await page.locator('.banner').waitFor({ state: 'detached' });
    await run(page, 'three');
    await shows(page, /^got three$/);
    expect((await screenText(page)).match(/^got two$/gm)).toHaveLength(1);
    await shoot(page, 'e2e-after-kill');
    await page.reload();
    await shows(page, /^got three$/);
  });

  test('asks for a fresh link where there is none, and takes one', async () => {
    const page = await fixture.watched.page(fixture.gateway.origin);
    await page.getByRole('heading', { name: 'This page needs a fresh link' }).waitFor();
    await page.goto('about:blank');
    await page.goto(fixture.gateway.freshUrl());
    await page.waitForURL('**/s/*');
    await shows(page, 'ready>');
  });

  test('lists sessions, and closes them', async () => {
    const page = await openShell();
    await run(page, 'printf "\\e]0;the one\\a"');
    await page.goto(fixture.gateway.origin);
    await page.getByText('the one').waitFor();
    await page.getByRole('button', { name: 'New session' }).first().click();
    await page.waitForURL('**/s/*');
    await shows(page, 'ready>');
    await page.goto(fixture.gateway.origin);
    await page.getByText('the one').waitFor();
    expect(await page.getByRole('listitem').count()).toBe(2);
    await page.getByRole('button', { name: 'Close the one' }).click();
    await page.getByRole('button', { name: 'Close session' }).click();
    await page.getByText('the one').waitFor({ state: 'detached' });
    await shoot(page, 'e2e-list');
  });
});
