/** Everything that the session page shows and does, without its markup. */

import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Status } from '../session';
import {
  applyModifiers,
  type BarKey,
  DARK,
  encodeBarKey,
  encodePaste,
  LIGHT,
  type Modifiers,
  runsAtOnce,
  ScreenFeed,
  type Search,
  sanitisePaste,
  type TermListener,
  type TermTheme,
  XtermView,
} from '../terminal';
import { type Api, ApiError, NO_WAYS, type ShareKey, type Ticket, type Ways } from './api';
import { copyText } from './clipboard';
import type { Scheme } from './colour-scheme';
import { Driver, type DriverHost, type ProbeAnswer, type SessionEffect } from './driver';
import { ScreenFit } from './screen-fit';
import { clampFontSize, DEFAULTS, type Settings } from './settings';

/** A short word that disappears by itself. */
export type Notice =
  | { readonly kind: 'skipped'; readonly bytes: number }
  | { readonly kind: 'copied' }
  | { readonly kind: 'link-copied' }
  | { readonly kind: 'input-full' }
  | { readonly kind: 'observer' }
  | { readonly kind: 'problem'; readonly text: string };

/** What asks for an answer before anything else goes on. */
export type Question =
  | { readonly kind: 'paste'; readonly text: string }
  | { readonly kind: 'passphrase'; readonly wrong: boolean }
  | { readonly kind: 'share' }
  | { readonly kind: 'close' };

export interface SessionModelOptions {
  readonly api: Api;
  readonly id: string;
  readonly settings: Signal<Settings>;
  readonly scheme: ReadonlySignal<Scheme>;
  /** The secret of the share link by which somebody came; absent for people with an account. */
  readonly share?: string | undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class SessionModel implements DriverHost, TermListener {
  readonly status: Signal<Status | undefined> = signal(undefined);
  readonly notice: Signal<Notice | undefined> = signal(undefined);
  readonly question: Signal<Question | undefined> = signal(undefined);
  readonly search: Signal<Search | undefined> = signal(undefined);
  readonly hoveredLink: Signal<string | undefined> = signal(undefined);
  readonly held: Signal<Modifiers> = signal({ ctrl: false, alt: false });
  /** Whether the screen has the size of somebody else's window. */
  readonly framed: Signal<boolean> = signal(false);
  /** Counts bells, so that two in a row are two flashes. */
  readonly bells: Signal<number> = signal(0);
  /** Whether a bell rang that nobody can have seen. */
  readonly unseenBell: Signal<boolean> = signal(false);

  /** How somebody gets in again, once it is known that a login has ended. */
  readonly ways: Signal<Ways> = signal(NO_WAYS);

  readonly api: Api;
  readonly id: string;
  readonly settings: Signal<Settings>;
  readonly #scheme: ReadonlySignal<Scheme>;
  #share: ShareKey | undefined;
  #view: XtermView | undefined;
  #feed: ScreenFeed | undefined;
  #fit: ScreenFit | undefined;
  #driver: Driver | undefined;
  #refused: ApiError | undefined;
  /** Goes on with a ticket that waits for a passphrase. */
  #answered: (() => void) | undefined;

  constructor({ api, id, settings, scheme, share }: SessionModelOptions) {
    this.#share = share === undefined ? undefined : { secret: share };
    this.api = api;
    this.id = id;
    this.settings = settings;
    this.#scheme = scheme;
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) {
        this.unseenBell.value = false;
      }
    });
  }

  /** Puts the terminal into its place and connects. */
  open(elements: { readonly stage: HTMLElement; readonly host: HTMLElement }): void {
    const { fontSize, screenReader } = this.settings.value;
    const view = new XtermView(
      elements.host,
      { fontSize, screenReader, theme: this.#theme() },
      this,
    );
    const driver = new Driver(this.api.socket(this.id), this);
    const fit = new ScreenFit(elements, view, fontSize, {
      handleWindow: (size) => driver.dispatch({ type: 'window', size }),
      handleFramed: (framed) => {
        this.framed.value = framed;
      },
    });
    this.#view = view;
    this.#feed = new ScreenFeed(view);
    this.#fit = fit;
    this.#driver = driver;
    this.#followSettings(view, fit);
    driver.dispatch({ type: 'start', window: fit.measure() });
    view.focus();
  }

  // What the connection says.

  handleEffect(effect: SessionEffect): void {
    switch (effect.type) {
      case 'output': {
        const { epoch, end } = effect;
        return this.#feed?.write(effect.bytes, () => this.#handleProcessed(epoch, end));
      }
      case 'snapshot': {
        const { epoch, offset } = effect;
        const done = () => this.#handleProcessed(epoch, offset);
        return this.#feed?.replace(effect.bytes, effect.size, done);
      }
      case 'size':
        return this.#feed?.resize(effect.size);
      case 'bell':
        return this.#ring();
      case 'skipped':
        this.notice.value = { kind: 'skipped', bytes: effect.bytes };
        return;
      case 'input-refused':
        this.notice.value = { kind: effect.reason === 'full' ? 'input-full' : 'observer' };
        return;
    }
  }

  handleStatus(status: Status): void {
    // Most events are output, and change nothing that the page shows.
    if (!sameStatus(this.status.peek(), status)) {
      this.status.value = status;
      this.#fit?.setSession(status);
      if (status.closed?.kind === 'unauthenticated') {
        void this.#askForWays();
      }
    }
  }

  /** Whether somebody came by a share link, who can see this session and nothing else. */
  get shared(): boolean {
    return this.#share !== undefined;
  }

  /** Whether the share link asks for an account, and this browser has shown none. */
  get needsLogin(): boolean {
    return this.shared && this.#refused?.code === 'login_required';
  }

  async ticket(): Promise<Ticket> {
    try {
      return await (this.#share === undefined
        ? this.api.ticket(this.id)
        : this.api.redeemShare(this.#share));
    } catch (error) {
      if (!(await this.#handleTicketRefused(error))) {
        throw error;
      }
      return this.ticket();
    }
  }

  async probe(): Promise<ProbeAnswer> {
    if (this.#refused !== undefined) {
      return 'unauthenticated';
    }
    if (this.shared) {
      return 'unclear';
    }
    try {
      const sessions = await this.api.sessions();
      return sessions.some(({ id }) => id === this.id) ? 'unclear' : 'session-not-found';
    } catch (error) {
      return error instanceof ApiError && error.status === 401 ? 'unauthenticated' : 'unclear';
    }
  }

  // What the terminal says.

  handleInput(bytes: Uint8Array): void {
    const held = this.held.value;
    if (!held.ctrl && !held.alt) {
      return this.#send(bytes);
    }
    this.held.value = { ctrl: false, alt: false };
    this.#send(encoder.encode(applyModifiers(decoder.decode(bytes), held)));
  }

  handlePaste(text: string): void {
    const sanitised = sanitisePaste(text);
    if (runsAtOnce(sanitised) && this.#view?.bracketedPaste === false) {
      this.question.value = { kind: 'paste', text: sanitised };
    } else {
      this.paste(sanitised);
    }
  }

  handleCopy(text: string): void {
    if (text !== '') {
      void this.#copy(text, { kind: 'copied' });
    }
  }

  handleFind(): void {
    void this.openSearch();
  }

  handleLinkHover(url: string | undefined): void {
    this.hoveredLink.value = url;
  }

  // What the person asks for.

  /** Sends text that `sanitisePaste` has seen. */
  paste(sanitised: string): void {
    const view = this.#view;
    if (view !== undefined) {
      this.#send(encodePaste(sanitised, view.bracketedPaste));
      view.scrollToBottom();
    }
  }

  pressKey(key: BarKey): void {
    const applicationCursor = this.#view?.applicationCursor ?? false;
    const bytes = encodeBarKey(key, this.held.value, applicationCursor);
    this.held.value = { ctrl: false, alt: false };
    this.#send(encoder.encode(bytes));
  }

  retryNow(): void {
    this.#driver?.dispatch({ type: 'wake' });
    this.focus();
  }

  dropInput(): void {
    this.#driver?.dispatch({ type: 'drop-input' });
    this.focus();
  }

  claimSize(): void {
    this.#driver?.dispatch({ type: 'claim-size' });
    this.focus();
  }

  changeFontSize(by: number | 'reset'): void {
    const { fontSize } = this.settings.value;
    this.change({ fontSize: by === 'reset' ? DEFAULTS.fontSize : clampFontSize(fontSize + by) });
  }

  change(settings: Partial<Settings>): void {
    this.settings.value = { ...this.settings.value, ...settings };
  }

  async openSearch(): Promise<void> {
    if (this.search.value === undefined) {
      this.search.value = await this.#view?.openSearch();
    }
  }

  closeSearch(): void {
    this.search.value?.dispose();
    this.search.value = undefined;
    this.focus();
  }

  async copyLink(): Promise<void> {
    await this.#copy(this.api.page(this.id), { kind: 'link-copied' });
  }

  /** A new session of the same size, in this page's place. */
  async openAnother(): Promise<void> {
    await this.#try(async () => {
      const window = this.#fit?.measure() ?? { cols: 80, rows: 24 };
      location.assign(this.api.page((await this.api.create(window)).id));
    });
  }

  async closeSession(): Promise<void> {
    this.question.value = undefined;
    await this.#try(() => this.api.close(this.id));
  }

  focus(): void {
    this.#view?.focus();
  }

  async #askForWays(): Promise<void> {
    // Without an answer the card says how to get a link, which is always true.
    this.ways.value = await this.api.ways().catch(() => NO_WAYS);
  }

  #send(bytes: Uint8Array): void {
    this.#driver?.dispatch({ type: 'input', bytes });
  }

  #handleProcessed(epoch: number, offset: number): void {
    this.#driver?.dispatch({ type: 'processed', epoch, offset });
  }

  #ring(): void {
    batch(() => {
      this.bells.value += 1;
      this.unseenBell.value = document.hidden;
    });
  }

  async #copy(text: string, notice: Notice): Promise<void> {
    if (await copyText(text)) {
      this.notice.value = notice;
    }
    this.focus();
  }

  async #try(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      const text = error instanceof ApiError ? error.message : String(error);
      this.notice.value = { kind: 'problem', text };
    }
  }

  /** Remembers why no ticket was given, for `probe`. True: it is worth asking again. */
  async #handleTicketRefused(error: unknown): Promise<boolean> {
    this.#refused = error instanceof ApiError && error.status === 401 ? error : undefined;
    const code = this.#refused?.code;
    if (code !== 'passphrase_required' && code !== 'passphrase_refused') {
      return false;
    }
    this.question.value = { kind: 'passphrase', wrong: code === 'passphrase_refused' };
    await new Promise<void>((done) => {
      this.#answered = done;
    });
    return true;
  }

  /** The word that the share link asks for. */
  givePassphrase(passphrase: string): void {
    this.question.value = undefined;
    if (this.#share !== undefined) {
      this.#share = { ...this.#share, passphrase };
      this.#refused = undefined;
      this.#answered?.();
    }
  }

  #theme(): TermTheme {
    return this.#scheme.value === 'light' ? LIGHT : DARK;
  }

  #followSettings(view: XtermView, fit: ScreenFit): void {
    this.#scheme.subscribe(() => view.setTheme(this.#theme()));
    this.settings.subscribe(({ fontSize, screenReader }) => {
      fit.setFontSize(fontSize);
      view.setScreenReader(screenReader);
    });
  }
}

function sameStatus(before: Status | undefined, after: Status): boolean {
  return (
    before !== undefined &&
    (Object.keys(after) as (keyof Status)[]).every((key) => before[key] === after[key])
  );
}
