/** The start page against a server that does what a test says. */

import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { launchBrowser, shoot, shows, Watched } from './browser';
import { Double, idOf } from './double';

let browser: Browser;
let double: Double;
let watched: Watched;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  double = await Double.start();
  watched = await Watched.open(browser, { colorScheme: 'dark' });
});
afterEach(async () => {
  await watched.close();
  await double.stop();
  expect(watched.complaints).toEqual([]);
});

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

function addSome(): void {
  double.add('build', {
    title: 'cargo build — hither',
    command: 'cargo build --release',
    cwd: '/home/ada/src/hither',
    cols: 120,
    rows: 40,
    clients: 2,
    createdAt: ago(12),
  });
  double.add('shell', {
    title: 'ada@lab: ~',
    command: '/bin/bash',
    createdAt: ago(190),
    clients: 1,
  });
  double.add('test', {
    title: '',
    command: 'make test',
    cwd: '/home/ada/src/hither',
    createdAt: ago(60 * 70),
    status: 'exited',
    exit: { code: 2 },
  });
  double.add('done', {
    title: 'backup',
    command: 'rsync -a /home /mnt',
    cwd: '/',
    createdAt: ago(3_000),
    status: 'exited',
    exit: { code: 0 },
  });
}

describe('a launch link', () => {
  test('is exchanged, forgotten, and opens a shell when nothing runs', async () => {
    Object.assign(double, { guarded: true, secret: 'one-time' });
    const page = await watched.page(`${double.url}#t=one-time`);
    await page.waitForURL(`**/s/${idOf('newa')}`);
    await page.waitForSelector('.xterm-rows');
    // The blank page of the test and the shell: the way back does not lead through the launch link.
    expect(await page.evaluate(() => history.length)).toBe(2);
    expect(double.secret).toBeUndefined();
    expect([...watched.urls, ...double.requests].filter((url) => url.includes('t='))).toEqual([]);
  });

  test('shows the list when something runs', async () => {
    Object.assign(double, { guarded: true, secret: 'one-time' });
    addSome();
    const page = await watched.page(`${double.url}#t=one-time`);
    await page.getByRole('heading', { name: 'Sessions' }).waitFor();
    expect(page.url()).toBe(double.url);
  });

  test('that is used up asks for a fresh one, unless the cookie is still good', async () => {
    Object.assign(double, { guarded: true, secret: 'one-time' });
    const page = await watched.page(`${double.url}#t=wrong`);
    await page.getByRole('heading', { name: 'This page needs a fresh link' }).waitFor();
    expect(page.url()).toBe(double.url);
    await shoot(page, 'start-unauthenticated');
    await page.goto(`${double.url}?again#t=one-time`);
    await page.waitForURL(`**/s/${idOf('newa')}`);
    await page.goto(`${double.url}#t=one-time`);
    await page.getByRole('heading', { name: 'Sessions' }).waitFor();
  });
});

describe('a login', () => {
  test('is ended by whoever has one', async () => {
    double.user = 'ada <b>';
    addSome();
    const page = await watched.page(double.url);
    const logOut = page.getByRole('button', { name: 'Log out' });
    await logOut.waitFor();
    expect(await logOut.getAttribute('title')).toBe('Logged in as ada <b>');
    await shoot(page, 'start-logged-in');
    await page.setViewportSize({ width: 390, height: 780 });
    await shoot(page, 'start-logged-in-phone');
    await logOut.click();
    await page.getByRole('heading', { name: 'This page needs a fresh link' }).waitFor();
    expect(await page.getByRole('listitem').count()).toBe(0);
    expect(await logOut.count()).toBe(0);
  });

  test('that does not exist cannot be ended', async () => {
    addSome();
    const page = await watched.page(double.url);
    await page.getByRole('heading', { name: 'Sessions' }).waitFor();
    // What is shown last.
    await page.getByText('0.1.0-double').waitFor();
    expect(await page.getByRole('button', { name: 'Log out' }).count()).toBe(0);
  });
});

describe('the list', () => {
  test('names, states and facts', async () => {
    addSome();
    const page = await watched.page(double.url);
    const cards = page.getByRole('listitem');
    await cards.first().waitFor();
    expect(await cards.count()).toBe(4);
    const text = await cards.allInnerTexts();
    expect(text[0]).toMatch(
      /cargo build — hither[\s\S]*Running[\s\S]*120×40[\s\S]*12 min ago[\s\S]*2 viewers/,
    );
    expect(text[2]).toMatch(/make test[\s\S]*Exited with 2/);
    await shoot(page, 'start-dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await shoot(page, 'start-light');
    await page.setViewportSize({ width: 390, height: 780 });
    await shoot(page, 'start-phone');
  });

  test('follows the server by itself', async () => {
    addSome();
    const page = await watched.page(double.url);
    await page.getByText('backup').waitFor();
    double.sessions.delete(idOf('done'));
    await page.getByText('backup').waitFor({ state: 'detached' });
    double.reachable = false;
    await page.getByText('The server does not answer').waitFor();
    expect(await page.getByRole('listitem').count()).toBe(3);
    double.reachable = true;
    await page.getByText('The server does not answer').waitFor({ state: 'detached' });
  });

  test('opens and closes by keyboard alone', async () => {
    addSome();
    const page = await watched.page(double.url);
    await page.getByRole('button', { name: 'Close cargo build' }).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await shoot(page, 'start-close');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(double.sessions.has(idOf('build'))).toBe(true);
    await page.keyboard.press('Enter');
    await dialog.waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('cargo build — hither').waitFor({ state: 'detached' });
    expect(double.sessions.has(idOf('build'))).toBe(false);
    await page.getByRole('link', { name: /ada@lab/ }).press('Enter');
    await page.waitForURL(`**/s/${idOf('shell')}`);
  });

  test('is a friendly place when it is empty', async () => {
    const page = await watched.page(double.url);
    await page.getByRole('heading', { name: 'Nothing is running' }).waitFor();
    await shoot(page, 'start-empty');
    await page.getByRole('button', { name: 'New session' }).first().click();
    await page.waitForURL(`**/s/${idOf('newa')}`);
    double.sessions.get(idOf('newa'))?.emit('welcome');
    await shows(page, 'welcome');
  });

  test('hostile names are text', async () => {
    const hostile = '<img src=x onerror="alert(1)">\u001b[31m\u202e‮';
    double.add('evil', { title: hostile, command: hostile, cwd: hostile });
    double.add('evil/../../x?y#z', { title: 'odd id' });
    const page = await watched.page(double.url);
    await page.getByText('<img src=x onerror="alert(1)">').first().waitFor();
    expect(await page.locator('img').count()).toBe(0);
    const links = await page
      .getByRole('link')
      .evaluateAll((all) => all.map((a) => (a as HTMLAnchorElement).href));
    expect(links.at(-1)).toBe(`${double.url}s/evil%2F..%2F..%2Fx%3Fy%23z`);
  });
});
