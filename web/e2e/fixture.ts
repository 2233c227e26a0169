/** A browser for the tests of a file; for each of them a gateway of its own and a watched context. */

import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { launchBrowser, shoot, Watched } from '../test/browser';
import { Gateway } from './gateway';

export class Fixture {
  #browser: Browser | undefined;
  #gateway: Gateway | undefined;
  #watched: Watched | undefined;

  /** Registers what comes before and behind every test of the file. */
  constructor() {
    beforeAll(async () => {
      this.#browser = await launchBrowser();
    });
    afterAll(() => this.#browser?.close());
    beforeEach(async () => {
      this.#gateway = await Gateway.start();
      this.#watched = await Watched.open(this.browser, { colorScheme: 'dark' });
    });
    afterEach(async ({ task }) => {
      if (task.result?.state === 'fail') {
        // A picture says what the stack of a wait does not.
        const [page] = this.watched.context.pages();
        await (page && shoot(page, `failed ${task.name}`));
      }
      await this.watched.close();
      await this.gateway.stop();
      expect(this.watched.complaints).toEqual([]);
      expect(this.watched.urls.filter((url) => /[#?&]t=/.test(url))).toEqual([]);
    });
  }

  get browser(): Browser {
    return begun(this.#browser);
  }

  get gateway(): Gateway {
    return begun(this.#gateway);
  }

  get watched(): Watched {
    return begun(this.#watched);
  }
}

function begun<T>(part: T | undefined): T {
  if (part === undefined) {
    throw new Error('only within a test');
  }
  return part;
}
