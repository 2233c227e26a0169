/** Chromium for tests: one browser, fresh contexts, and a record of everything that went wrong in a page. */

import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';

const RESULTS = new URL('../test-results/', import.meta.url);

/** `without` are arguments of playwright's own that this browser shall not have. */
export async function launchBrowser(
  more: readonly string[] = [],
  without: readonly string[] = [],
): Promise<Browser> {
  return chromium.launch({
    ignoreDefaultArgs: [...without],
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...more,
    ],
  });
}

/** A context whose pages report each violation of the policy and each error. */
export class Watched {
  readonly context: BrowserContext;
  /** Violations, uncaught errors and console errors; a test ends with this empty. */
  readonly complaints: string[] = [];
  /** Every URL that was asked for. */
  readonly urls: string[] = [];

  private constructor(context: BrowserContext) {
    this.context = context;
  }

  static async open(browser: Browser, options: BrowserContextOptions = {}): Promise<Watched> {
    const context = await browser.newContext({
      viewport: { width: 1100, height: 700 },
      ...options,
    });
    const watched = new Watched(context);
    await context.exposeFunction('reportViolation', (violation: string) => {
      watched.complaints.push(violation);
    });
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        const report = Reflect.get(window, 'reportViolation') as (text: string) => void;
        report(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
      });
    });
    context.on('request', (request) => watched.urls.push(request.url()));
    context.on('weberror', (error) => watched.complaints.push(`uncaught: ${error.error()}`));
    context.on('console', (message) => {
      // A lost link is reported by the browser itself; losing links is what these tests do.
      const expected = /ERR_|WebSocket connection|Failed to load resource/.test(message.text());
      if (message.type() === 'error' && !expected) {
        watched.complaints.push(`console: ${message.text()}`);
      }
    });
    return watched;
  }

  async page(url: string): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(url);
    return page;
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}

/** The lines of the terminal as a person sees them. */
export async function screenText(page: Page): Promise<string> {
  const rows = await page.locator('.xterm-rows > div').allTextContents();
  return rows.map((row) => row.replaceAll('\u00a0', ' ').trimEnd()).join('\n');
}

/** Waits until the terminal shows `text`. Patterns see lines: `^` and `$` are theirs. */
export async function shows(page: Page, text: string | RegExp): Promise<void> {
  const pattern = typeof text === 'string' ? escapePattern(text) : text.source;
  await page.waitForFunction((source) => {
    const rows = Array.from(document.querySelectorAll('.xterm-rows > div'), (row) =>
      (row.textContent ?? '').replaceAll('\u00a0', ' ').trimEnd(),
    );
    return new RegExp(source, 'm').test(rows.join('\n'));
  }, pattern);
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(RESULTS, { recursive: true });
  await page.evaluate(async () => {
    const finite = document
      .getAnimations()
      .filter(({ effect }) => effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY);
    await Promise.allSettled(finite.map(({ finished }) => finished));
  });
  await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, RESULTS)) });
}

/** Puts text on the clipboard of the page as a paste event, whatever the browser allows. */
export async function pasteText(page: Page, text: string): Promise<void> {
  await page.locator('.xterm-helper-textarea').evaluate((element, clipboard) => {
    const data = new DataTransfer();
    data.setData('text/plain', clipboard);
    const event = new ClipboardEvent('paste', {
      clipboardData: data,
      bubbles: true,
      cancelable: true,
    });
    element.dispatchEvent(event);
  }, text);
}
