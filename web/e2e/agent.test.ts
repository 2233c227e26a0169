/** An agent works by keys, waits and screens; a person watches in a browser and takes over. */

import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { request as requests } from 'playwright-core';
import { expect, test } from 'vitest';
import { shoot, shows } from '../test/browser';
import { Fixture } from './fixture';

const fixture = new Fixture();

/** What a wait, an input or a run answers, as far as this agent looks at it. */
interface Answer {
  readonly reason?: string;
  readonly offset: number;
  readonly commandExitCode?: number;
  readonly output?: string;
}

/** A program that knows the API's address and a token, and nothing else. */
class Agent {
  readonly #ask: (method: string, path: string, body?: object) => Promise<string>;
  #session = '';

  constructor(origin: string, token: string) {
    this.#ask = async (method, path, data) => {
      const context = await requests.newContext({
        baseURL: origin,
        extraHTTPHeaders: { authorization: `Bearer ${token}` },
      });
      try {
        const response = await context.fetch(path, { method, data, timeout: 50_000 });
        const text = await response.text();
        expect(response.ok(), `${method} ${path}: ${response.status()} ${text}`).toBe(true);
        return text;
      } finally {
        await context.dispose();
      }
    };
  }

  get page(): string {
    return `s/${this.#session}`;
  }

  async open(body: object): Promise<void> {
    this.#session = JSON.parse(await this.#ask('POST', 'api/sessions', body)).id;
  }

  async run(command: string): Promise<Answer> {
    return this.#post('run', { command, timeoutMs: 40_000 });
  }

  /** Types, and says where what comes of it begins. */
  async type(data: string, ...keys: string[]): Promise<number> {
    return (await this.#post('input', { data, keys })).offset;
  }

  /** Waits for exactly this: the end of the time, or of the program, is not it. */
  async until(what: 'screen' | 'output' | 'prompt', body: object): Promise<number> {
    const answer = await this.#post('wait', { timeoutMs: 40_000, ...body });
    expect(answer.reason).toBe(what);
    return answer.offset;
  }

  async screen(): Promise<string> {
    return this.#ask('GET', `api/sessions/${this.#session}/screen?format=text`);
  }

  async #post(what: string, body: object): Promise<Answer> {
    return JSON.parse(await this.#ask('POST', `api/sessions/${this.#session}/${what}`, body));
  }
}

test('an agent makes a program with cargo and vim, and a person takes over', async () => {
  const agent = new Agent(fixture.gateway.origin, fixture.gateway.token());
  // The compiler may be found by files in the home of whoever runs the tests, which is not theirs.
  const toolchain = execFileSync('rustc', ['--print', 'sysroot'], { encoding: 'utf8' }).trim();
  appendFileSync(join(fixture.gateway.home, '.bashrc'), `PATH='${toolchain}/bin':$PATH\n`);
  await agent.open({ command: 'bash', title: 'agent', labels: { by: 'agent' } });
  await agent.until('prompt', { prompt: true, from: 0 });
  const made = await agent.run('cargo new --vcs none hello');
  expect(made.commandExitCode, made.output).toBe(0);

  const page = await fixture.watched.page(fixture.gateway.launchUrl);
  await page.getByRole('listitem').waitFor();
  await page.goto(fixture.gateway.origin + agent.page);
  await shows(page, 'cargo new --vcs none hello');

  // vim, by keys alone: wait for what is to be seen, then press the next ones.
  let from = await agent.type('vim -u NONE -N hello/src/main.rs', 'Enter');
  await agent.until('screen', { screen: 'println!', from });
  from = await agent.type('/Hello', 'Enter');
  from = await agent.type('ciwAgent', 'Escape');
  await agent.until('screen', { screen: 'println!\\("Agent, world', from });
  await shows(page, /println!\("Agent, world!"\);/);

  // The person types in the middle, into the same vim; the agent sees it.
  await page.locator('.xterm-helper-textarea').focus();
  await page.keyboard.type('A // a person was here');
  await agent.until('screen', { screen: 'a person was here', from });
  await page.keyboard.press('Escape');
  await shoot(page, 'e2e-agent');

  // And the agent goes on where the person stopped.
  from = await agent.type(':wq', 'Enter');
  await agent.until('prompt', { prompt: true, from });
  const source = readFileSync(join(fixture.gateway.home, 'hello/src/main.rs'), 'utf8');
  expect(source).toContain('println!("Agent, world!"); // a person was here');
  expect(await agent.screen()).not.toContain('println!');
  await shows(page, /ready>$/);
});

test('an agent talks to the REPL of Python, and a person asks it too', async () => {
  const agent = new Agent(fixture.gateway.origin, fixture.gateway.token());
  await agent.open({
    // The REPL of every version: that of 3.13 draws its lines itself.
    command: ['env', 'PYTHON_BASIC_REPL=1', '/usr/bin/python3', '-q'],
  });
  await agent.until('screen', { screen: '^>>> ?$', from: 0 });
  let from = await agent.type('answer = 6 * 7', 'Enter');
  await agent.until('screen', { screen: 'answer = 6 \\* 7\\n>>> ?$', from });

  const page = await fixture.watched.page(fixture.gateway.launchUrl);
  await page.getByRole('listitem').waitFor();
  await page.goto(fixture.gateway.origin + agent.page);
  await shows(page, 'answer = 6 * 7');
  await page.locator('.xterm-helper-textarea').focus();
  await page.keyboard.type('print("so it is", answer)');
  await page.keyboard.press('Enter');
  from = await agent.until('output', { output: '^so it is 42$', from });
  await agent.type('exit(answer)', 'Enter');
  await page.getByRole('heading', { name: 'Exited with status 42' }).waitFor();
});
