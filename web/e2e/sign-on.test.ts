/** Single sign-on in a real browser, with a real provider: login there, consent, and back. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launchBrowser, shoot, shows, Watched } from '../test/browser';
import { Gateway } from './gateway';
import { CLIENT, Provider } from './provider';

const EXAMPLE = fileURLToPath(new URL('../../dist/hither-oidc.toml', import.meta.url));

let browser: Browser;
let folder: string;
let provider: Provider;
let gateway: Gateway;
let watched: Watched;

beforeAll(async () => {
  browser = await launchBrowser();
  folder = mkdtempSync(join(tmpdir(), 'hither-sign-on-'));
  writeFileSync(join(folder, 'secret'), `${CLIENT.secret}\n`, { mode: 0o600 });
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  provider = await Provider.listen();
  watched = await Watched.open(browser, { colorScheme: 'dark' });
});
afterEach(async ({ task }) => {
  const [page] = watched.context.pages();
  if (task.result?.state === 'fail' && page !== undefined) {
    await shoot(page, `failed ${task.name}`);
  }
  await watched.close();
  await gateway.stop();
  await provider.stop();
  expect(watched.complaints).toEqual([]);
});

/** A gateway below `path` whose users are those of the provider. */
async function open(path = '/'): Promise<Page> {
  // The example of docs/deploy.md, but for what is particular to a machine, and without TLS.
  let text = readFileSync(EXAMPLE, 'utf8').replace(/\[tls\][^[]*/, '');
  for (const [from, to] of [
    ['bind = ["0.0.0.0"]', 'bind = ["127.0.0.1"]'],
    ['"https://id.example.org/realms/staff"', `"${provider.issuer}"`],
    ['/etc/hither/oidc-secret', join(folder, 'secret')],
  ] as const) {
    expect(text).toContain(from);
    text = text.replace(from, to);
  }
  const file = join(folder, 'settings.toml');
  writeFileSync(file, text, { mode: 0o600 });
  gateway = await Gateway.start('--config', file, '--base-path', path);
  const base = new URL(`.${path}${path.endsWith('/') ? '' : '/'}`, gateway.origin).href;
  provider.serve(base);
  return watched.page(base);
}

/** At the provider: a name, any password, and yes. */
async function signOn(page: Page, name: string): Promise<void> {
  await page.getByRole('link', { name: 'Log in with the office' }).click();
  await page.waitForURL(`${provider.issuer}/**`);
  await page.getByPlaceholder('Enter any login').fill(name);
  await page.getByPlaceholder('and password').fill('anything');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
}

async function whoAmI(page: Page): Promise<unknown> {
  return page.evaluate(async () => (await fetch('api/auth/current-user')).json());
}

test('somebody signs on, works, and logs out', async () => {
  const page = await open();
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.locator(`html[data-scheme="${colorScheme}"]`).waitFor();
    await shoot(page, `e2e-sign-on-${colorScheme}`);
  }
  await signOn(page, 'ada');
  await page.getByRole('heading', { name: 'Nothing is running' }).waitFor();
  expect(page.url()).toBe(gateway.origin);
  expect(await whoAmI(page)).toMatchObject({ userId: 'ada', via: 'login' });
  const cookies = await watched.context.cookies(gateway.origin);
  const own = cookies.filter(({ name }) => name.startsWith('hither-'));
  expect(own).toMatchObject([{ httpOnly: true, sameSite: 'Strict' }]);
  await page.getByRole('button', { name: 'New session' }).first().click();
  await page.waitForURL('**/s/*');
  await shows(page, 'ready>');
  await page.keyboard.type('echo $((6 * 7))\n');
  await shows(page, /^42$/);
  // The login ends while the session is open: its page offers the way back, and leads back to it.
  const address = page.url();
  await page.evaluate(() => fetch('../api/auth/logout', { method: 'POST' }));
  await page.getByRole('link', { name: 'Log in with the office' }).waitFor();
  await shoot(page, 'e2e-sign-on-ended');
  await page.getByRole('link', { name: 'Log in with the office' }).click();
  // The provider remembers who is there and what was allowed.
  await page.waitForURL(address);
  await shows(page, /^42$/);
});

test('groups decide who comes in, and as what', async () => {
  const page = await open('/term');
  await signOn(page, 'mallory');
  await page.getByText('You are logged in there, but have no access here.').waitFor();
  expect(new URL(page.url()).pathname).toBe('/term/');
  expect(new URL(page.url()).hash).toBe('');
  await shoot(page, 'e2e-sign-on-refused');
  const other = await Watched.open(browser);
  const admin = await other.page(page.url());
  await signOn(admin, 'grace');
  await admin.getByRole('heading', { name: 'Nothing is running' }).waitFor();
  const { scopes } = (await whoAmI(admin)) as { scopes: string[] };
  expect(scopes).toContain('admin');
  await other.close();
  expect(other.complaints).toEqual([]);
});

test('who turns back at the provider is told so', async () => {
  const page = await open();
  await page.getByRole('link', { name: 'Log in with the office' }).click();
  await page.waitForURL(`${provider.issuer}/**`);
  await page.getByRole('link', { name: '[ Cancel ]' }).click();
  await page.getByText('The login was not completed.').waitFor();
});
