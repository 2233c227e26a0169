/** The examples of docs/deploy.md: TLS of the gateway itself, and real proxies in front of it. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { launchBrowser, shows, Watched } from '../test/browser';
import { Gateway } from './gateway';

const EXAMPLES = fileURLToPath(new URL('../../dist/', import.meta.url));
const PASSWORD = 'correct horse battery';
const NGINX = '/usr/sbin/nginx';
const CADDY = '/usr/bin/caddy';

let browser: Browser;
let folder: string;
let certificate: string;
let key: string;
let watched: Watched;
let gateway: Gateway | undefined;
let proxy: ChildProcess | undefined;

beforeAll(async () => {
  browser = await launchBrowser();
  folder = mkdtempSync(join(tmpdir(), 'hither-deployed-'));
  certificate = join(folder, 'cert.pem');
  key = join(folder, 'key.pem');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const files = ['-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, ...files], { stdio: 'ignore' });
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  watched = await Watched.open(browser, { ignoreHTTPSErrors: true });
});
afterEach(async () => {
  await watched.close();
  await gateway?.stop();
  gateway = undefined;
  if (proxy !== undefined && proxy.exitCode === null) {
    proxy.kill('SIGTERM');
    await once(proxy, 'exit');
  }
  proxy = undefined;
  expect(watched.complaints).toEqual([]);
});

/**
 * A port that nobody listens on, and that the system gives to nobody: it is below those of outgoing
 * connections (32768, ip(7)), which come and go by the thousand beside this test.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    const listening = new Promise<boolean>((done) => {
      server.once('listening', () => done(true)).once('error', () => done(false));
    });
    server.listen(port, '127.0.0.1');
    if (await listening) {
      server.close();
      await once(server, 'close');
      return port;
    }
  }
}

/** An example, with what is particular to a machine replaced. */
function example(name: string, replacements: Record<string, string>): string {
  let text = readFileSync(join(EXAMPLES, name), 'utf8');
  for (const [from, to] of Object.entries(replacements)) {
    expect(text).toContain(from);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** A gateway on `inner` with the settings of the example for proxies, where `port` is the proxy's. */
async function proxied(port: number, inner: number): Promise<Gateway> {
  const settings = join(folder, 'hither.toml');
  const text = example('hither-proxied.toml', { 'box.example.org"': `localhost:${port}"` });
  writeFileSync(settings, text, { mode: 0o600 });
  return Gateway.at(inner, '--config', settings);
}

async function listens(url: string): Promise<void> {
  await vi.waitUntil(() => reachable(url), { timeout: 20_000, interval: 50 });
}

async function reachable(url: string): Promise<boolean> {
  try {
    execFileSync('curl', ['-fsk', '-o', '/dev/null', url]);
    return true;
  } catch {
    return false;
  }
}

/** Opens a shell by the address that the gateway printed, types, loads again, and is still in. */
async function useShell(gateway: Gateway, base: string): Promise<void> {
  expect(gateway.launchUrl).toContain(`${base}#t=`);
  const page = await watched.page(gateway.launchUrl);
  await page.waitForURL(`${base}s/*`);
  await shows(page, 'ready>');
  await page.keyboard.type('echo $((6 * 7))\n');
  await shows(page, /^42$/);
  await page.reload();
  await shows(page, /^42$/);
  const [cookie] = await watched.context.cookies();
  expect(cookie).toMatchObject({ secure: true, httpOnly: true, sameSite: 'Strict' });
  expect(cookie?.name).toMatch(/^__Host-/);
}

test('a certificate of its own', async () => {
  gateway = await Gateway.start('--tls-cert', certificate, '--tls-key', key);
  await useShell(gateway, `https://127.0.0.1:${gateway.port}/`);
});

test('a certificate of its own, and a password', async () => {
  gateway = await Gateway.start('--tls-cert', certificate, '--tls-key', key);
  gateway.addUser('alice', PASSWORD);
  const { context } = watched;
  const page = await watched.page(gateway.origin);
  const asked = page.getByRole('heading', { name: 'Log in' });
  await asked.waitFor();
  await page.getByLabel('Name').fill('alice');
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('alert').waitFor();
  expect(await context.cookies()).toEqual([]);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { name: 'Nothing is running' }).waitFor();
  const cookies = await context.cookies();
  const flags = { secure: true, httpOnly: true, sameSite: 'Strict', path: '/' } as const;
  expect(cookies).toMatchObject([{ ...flags, domain: '127.0.0.1' }]);
  expect(cookies[0]?.name).toMatch(/^__Host-/);
  expect(await page.evaluate(() => document.cookie)).toBe('');
  await page.getByRole('button', { name: 'New session' }).first().click();
  await page.waitForURL('**/s/*');
  await shows(page, 'ready>');
  await page.keyboard.type('echo $((6 * 7))\n');
  await shows(page, /^42$/);
  await page.reload();
  await shows(page, /^42$/);
  // A logout ends the login in every tab, the one of the session too.
  const start = await watched.page(gateway.origin);
  await start.getByRole('button', { name: 'Log out' }).click();
  await start.getByRole('heading', { name: 'Log in' }).waitFor();
  await page.getByRole('heading', { name: 'Your login has ended' }).waitFor();
  expect(await context.cookies()).toEqual([]);
  // And for good: the cookie opens nothing any more.
  await context.addCookies(cookies);
  await start.reload();
  await start.getByRole('heading', { name: 'Log in' }).waitFor();
});

test.skipIf(!existsSync(NGINX))('nginx, with TLS and a base path', async () => {
  const [port, inner] = [await freePort(), await freePort()];
  gateway = await proxied(port, inner);
  const server = example('nginx/hither.conf', {
    'listen 443 ssl': `listen 127.0.0.1:${port} ssl`,
    'server_name box.example.org': 'server_name localhost',
    '/etc/ssl/certs/box.example.org.pem': certificate,
    '/etc/ssl/private/box.example.org.key': key,
    '127.0.0.1:7681': `127.0.0.1:${inner}`,
  });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const text = `daemon off; pid ${folder}/nginx.pid; error_log stderr error; events {}
    http { access_log off; ${temporary.join(' ')}\n${server} }`;
  writeFileSync(join(folder, 'nginx.conf'), text);
  const args = ['-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')];
  proxy = spawn(NGINX, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  await listens(`https://localhost:${port}/term/health`);
  await useShell(gateway, `https://localhost:${port}/term/`);
});

test.skipIf(!existsSync(CADDY))('Caddy, with TLS and a base path', async () => {
  const [port, inner] = [await freePort(), await freePort()];
  gateway = await proxied(port, inner);
  const site = example('caddy/Caddyfile', {
    'box.example.org {': `https://localhost:${port} {\n\ttls ${certificate} ${key}`,
    '127.0.0.1:7681': `127.0.0.1:${inner}`,
  });
  const text = `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${site}`;
  writeFileSync(join(folder, 'Caddyfile'), text);
  const home = join(folder, 'caddy');
  mkdirSync(home, { recursive: true });
  const args = ['run', '--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')];
  proxy = spawn(CADDY, args, {
    env: { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home },
    stdio: 'ignore',
  });
  await listens(`https://localhost:${port}/term/health`);
  await useShell(gateway, `https://localhost:${port}/term/`);
});
