/** People and share links in a real browser: who gets in, what they see, and how it ends. */

import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { launchBrowser, screenText, shoot, shows, Watched } from '../test/browser';
import { Gateway } from './gateway';

const PASSWORD = 'correct horse battery';
const SCHEMES = ['dark', 'light'] as const;

let browser: Browser;
let gateway: Gateway;
let all: Watched[];
/** What must be in no address: asked for by the tests as they learn them. */
let secrets: string[];

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  gateway = await Gateway.start();
  all = [];
  secrets = [PASSWORD];
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') {
    for (const [index, { context }] of all.entries()) {
      const [page] = context.pages();
      await (page && shoot(page, `failed ${task.name} ${index}`));
    }
  }
  for (const watched of all) {
    await watched.context.close();
  }
  await gateway.stop();
  const urls = all.flatMap((watched) => watched.urls);
  expect(all.flatMap((watched) => watched.complaints)).toEqual([]);
  expect(urls.length).toBeGreaterThan(0);
  expect(urls.filter((url) => secrets.some((secret) => url.includes(secret)))).toEqual([]);
});

/** Another person's browser: no cookie of anybody else. */
async function person(): Promise<Watched> {
  const watched = await Watched.open(browser, { colorScheme: 'dark' });
  all.push(watched);
  watched.context.on('page', (page) => {
    page.on('websocket', (socket) => watched.urls.push(socket.url()));
  });
  return watched;
}

async function shootInBothSchemes(page: Page, name: string): Promise<void> {
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme });
    await page.locator(`html[data-scheme="${colorScheme}"]`).waitFor();
    await shoot(page, `e2e-${name}-${colorScheme}`);
  }
}

async function logIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** Alice, logged in, with a shell of her own. */
async function openShell(): Promise<{ alice: Watched; page: Page }> {
  gateway.addUser('alice', PASSWORD);
  const alice = await person();
  const page = await alice.page(gateway.origin);
  await logIn(page, 'alice', PASSWORD);
  await page.getByRole('button', { name: 'New session' }).first().click();
  await page.waitForURL('**/s/*');
  await shows(page, 'ready>');
  const [cookie] = await alice.context.cookies();
  secrets.push(cookie?.value ?? '');
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
  return { alice, page };
}

async function openShareDialog(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('menuitem', { name: 'Share…' }).click();
  await page.getByRole('dialog', { name: 'Share this session' }).waitFor();
}

/** Makes a link in the dialog and answers its address. */
async function makeLink(page: Page, label: string): Promise<string> {
  await page.getByLabel('Call it').fill(label);
  await page.getByRole('button', { name: 'Make a link' }).click();
  await page.getByRole('button', { name: `Withdraw ${label}` }).waitFor();
  const address = await page.getByLabel('Address of the new link').inputValue();
  secrets.push(new URL(address).hash.replace('#share=', ''));
  return address;
}

/** The address as `Watched.urls` sees it: a browser reports what it asks for with the fragment. */
async function openLink(watched: Watched, address: string): Promise<Page> {
  const page = await watched.page('about:blank');
  const before = watched.urls.length;
  await page.goto(address);
  // The fragment of the address that was opened is on no wire.
  watched.urls[before] = (watched.urls[before] ?? '').replace(/#.*/, '');
  return page;
}

describe('a user', () => {
  test('is let in by the right password only, and stays in through a reload', async () => {
    gateway.addUser('alice', PASSWORD);
    const alice = await person();
    const page = await alice.page(gateway.origin);
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await shootInBothSchemes(page, 'login');
    await logIn(page, 'alice', 'not the password');
    await page.getByRole('alert').waitFor();
    await shootInBothSchemes(page, 'login-wrong');
    expect(await alice.context.cookies()).toEqual([]);
    await logIn(page, 'alice', PASSWORD);
    await page.getByRole('heading', { name: 'Nothing is running' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'New session' }).first().click();
    await page.waitForURL('**/s/*');
    await shows(page, 'ready>');
    await page.keyboard.type('echo $((6 * 7))\n');
    await shows(page, /^42$/);
  });

  test('does not see the sessions of another', async () => {
    const { page } = await openShell();
    gateway.addUser('bob', `${PASSWORD} of bob`);
    const bob = await person();
    const other = await bob.page(gateway.origin);
    await logIn(other, 'bob', `${PASSWORD} of bob`);
    await other.getByRole('heading', { name: 'Nothing is running' }).waitFor();
    await other.goto(page.url());
    await other.getByRole('heading', { name: 'No such session' }).waitFor();
  });
});

describe('a user who was let in', () => {
  test('watches, then types, then is out again, as the owner says', async () => {
    const { page } = await openShell();
    const bobs = `${PASSWORD} of bob`;
    gateway.addUser('bob', bobs);
    await openShareDialog(page);
    const form = page.getByRole('form', { name: 'Let a user in' });
    await form.getByLabel('Name of the user').fill('nobody');
    await form.getByRole('button', { name: 'Let in' }).click();
    await page.getByRole('alert').getByText('there is no such user here').waitFor();
    await form.getByLabel('Name of the user').fill('bob');
    await form.getByRole('button', { name: 'Let in' }).click();
    await page.getByRole('button', { name: 'Let bob type' }).waitFor();
    await shootInBothSchemes(page, 'share-dialog-users');
    const bob = await person();
    const other = await bob.page(gateway.origin);
    await logIn(other, 'bob', bobs);
    // The session is in the list of bob, who never had a link to it.
    await other
      .locator(`a[href$="${new URL(page.url()).pathname}"]`)
      .first()
      .click();
    await shows(other, 'ready>');
    await other.getByText('view only').waitFor();
    await page.getByRole('button', { name: 'Let bob type' }).click();
    await other.getByText('view only').waitFor({ state: 'detached' });
    await other.keyboard.type('echo typed by $((1 + 1)) people\n');
    await shows(other, /^typed by 2 people$/);
    await page.getByRole('button', { name: 'Let bob watch only' }).click();
    await other.getByText('view only').waitFor();
    await page.getByRole('button', { name: 'Remove bob' }).click();
    await other.getByRole('heading', { name: 'Not allowed' }).waitFor();
    await other.goto(gateway.origin);
    await other.getByRole('heading', { name: 'Nothing is running' }).waitFor();
  });
});

describe('a share link', () => {
  test('shows its session, lets nobody type, and nothing else', async () => {
    const { page } = await openShell();
    await page.keyboard.type('echo for everybody to see\n');
    await shows(page, /^for everybody to see$/);
    await openShareDialog(page);
    const address = await makeLink(page, 'the class');
    const guest = await person();
    const watching = await openLink(guest, address);
    await shows(watching, /^for everybody to see$/);
    expect(new URL(watching.url()).hash).toBe('');
    await watching.getByText('view only').waitFor();
    await shootInBothSchemes(watching, 'shared');
    await watching.keyboard.type('echo typed by the guest\n');
    await watching.getByText('You can watch this session, not type in it').waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.keyboard.type('echo typed by the owner\n');
    await shows(watching, /^typed by the owner$/);
    expect(await screenText(page)).not.toContain('guest');
    await watching.getByRole('button', { name: 'Menu' }).click();
    expect(await watching.getByRole('menuitem', { name: 'All sessions' }).count()).toBe(0);
    expect(await guest.context.cookies()).toEqual([]);
    expect(await watching.evaluate(async () => (await fetch('../api/sessions')).status)).toBe(401);
    await watching.reload();
    await shows(watching, /^typed by the owner$/);
  });

  test('is withdrawn while somebody watches: the page says so, and stays out', async () => {
    const { page } = await openShell();
    await openShareDialog(page);
    const guest = await person();
    const watching = await openLink(guest, await makeLink(page, 'the class'));
    await shows(watching, 'ready>');
    // The list of who is here is taken when the dialog opens.
    await page.keyboard.press('Escape');
    await openShareDialog(page);
    await page.getByRole('button', { name: 'Send the class away' }).waitFor();
    await shootInBothSchemes(page, 'share-dialog');
    await page.getByRole('button', { name: 'Withdraw the class' }).click();
    await watching.getByRole('heading', { name: 'This link is not good any more' }).waitFor();
    await shootInBothSchemes(watching, 'shared-withdrawn');
    await watching.reload();
    await watching.getByRole('heading', { name: 'This link is not good any more' }).waitFor();
  });

  test('asks for its passphrase', async () => {
    const { page } = await openShell();
    await openShareDialog(page);
    await page.getByLabel('Passphrase').fill('open sesame');
    const address = await makeLink(page, 'guarded');
    await shootInBothSchemes(page, 'share-dialog-link');
    const watching = await openLink(await person(), address);
    const dialog = watching.getByRole('dialog', { name: 'This link asks for a passphrase' });
    // It has the focus already.
    await dialog.getByLabel('Passphrase').and(watching.locator(':focus')).waitFor();
    await watching.keyboard.type('wrong');
    await watching.keyboard.press('Enter');
    await watching.getByText('That was not it. Try again.').waitFor();
    // The word was for the link alone: no key of it waits for the session.
    expect(await watching.getByText('of typing').count()).toBe(0);
    await dialog.getByLabel('Passphrase').fill('open sesame');
    await shootInBothSchemes(watching, 'passphrase');
    await dialog.getByRole('button', { name: 'Go on' }).click();
    await shows(watching, 'ready>');
    secrets.push('sesame');
  });
});
