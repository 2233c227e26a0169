/** Everything that the start page shows and does, without its markup. */

import { type Signal, signal } from '@preact/signals';
import type { WindowSize } from '../session';
import { type Api, ApiError, NO_WAYS, type SessionInfo, type Ways } from './api';

/** Between two looks at the list while somebody sees it. */
const REFRESH_MS = 3_000;

export type StartState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'list'; readonly sessions: readonly SessionInfo[] }
  | { readonly kind: 'unauthenticated'; readonly ways: Ways }
  /** The last list that was seen, and that it may be old. */
  | { readonly kind: 'unreachable'; readonly sessions: readonly SessionInfo[] };

export class StartModel {
  readonly state: Signal<StartState> = signal({ kind: 'loading' });
  readonly version: Signal<string> = signal('');
  readonly problem: Signal<string | undefined> = signal(undefined);
  /** The code by which a sign-on was refused. */
  readonly refused: Signal<string | undefined> = signal(undefined);
  /** The session whose closing waits for a yes. */
  readonly closing: Signal<SessionInfo | undefined> = signal(undefined);
  readonly creating: Signal<boolean> = signal(false);
  /** Whose login this browser has, if it is one that can be ended. */
  readonly loggedIn: Signal<string | undefined> = signal(undefined);
  readonly api: Api;
  #timer: number | undefined;

  constructor(api: Api) {
    this.api = api;
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) {
        void this.refresh();
      }
    });
    window.addEventListener('pageshow', ({ persisted }) => {
      if (persisted) {
        void this.refresh();
      }
    });
  }

  /** Exchanges the secret of a launch link, then shows the list, or a shell when there is nothing to list. */
  async start(secret: string | undefined): Promise<void> {
    if (secret !== undefined && (await this.#launch(secret))) {
      return;
    }
    await this.refresh();
    this.version.value = await this.api.version().catch(() => '');
  }

  async refresh(): Promise<void> {
    window.clearTimeout(this.#timer);
    try {
      const wasIn = this.state.value.kind === 'list';
      this.state.value = { kind: 'list', sessions: await this.api.sessions() };
      if (!wasIn) {
        this.loggedIn.value = await this.api.loggedIn().catch(() => undefined);
      }
    } catch (error) {
      this.#handleFailure(error);
    }
    if (!document.hidden && this.state.value.kind !== 'unauthenticated') {
      this.#timer = window.setTimeout(() => void this.refresh(), REFRESH_MS);
    }
  }

  /** Ends the login; open pages of sessions end with it. */
  async logOut(): Promise<void> {
    try {
      await this.api.logOut();
      await this.refresh();
    } catch (error) {
      this.#report(error);
    }
  }

  async openNew(): Promise<void> {
    this.creating.value = true;
    try {
      location.assign(this.api.page((await this.api.create(likelyWindow())).id));
    } catch (error) {
      this.#report(error);
    } finally {
      this.creating.value = false;
    }
  }

  async close(session: SessionInfo): Promise<void> {
    this.closing.value = undefined;
    try {
      await this.api.close(session.id);
    } catch (error) {
      this.#report(error);
    }
    await this.refresh();
  }

  /** Whether the page is on its way to a new shell. */
  async #launch(secret: string): Promise<boolean> {
    try {
      await this.api.launch(secret);
      if ((await this.api.sessions()).length > 0) {
        return false;
      }
      location.replace(this.api.page((await this.api.create(likelyWindow())).id));
      return true;
    } catch (error) {
      // A link that was used before is harmless when its cookie is still good: the list will tell.
      if (!(error instanceof ApiError && error.status === 401)) {
        this.#report(error);
      }
      return false;
    }
  }

  #handleFailure(error: unknown): void {
    if (error instanceof ApiError && error.status === 401) {
      this.#askWho();
      return;
    }
    const { value } = this.state;
    const sessions = 'sessions' in value ? value.sessions : [];
    this.state.value = { kind: 'unreachable', sessions };
  }

  /** Says that this browser is not let in, then how it can be. */
  #askWho(): void {
    this.loggedIn.value = undefined;
    const { value } = this.state;
    const known = value.kind === 'unauthenticated' ? value.ways : NO_WAYS;
    this.state.value = { kind: 'unauthenticated', ways: known };
    void this.api.ways().then(
      (ways) => {
        if (this.state.value.kind === 'unauthenticated') {
          this.state.value = { kind: 'unauthenticated', ways };
        }
      },
      () => undefined,
    );
  }

  #report(error: unknown): void {
    if (error instanceof ApiError && error.status === 401) {
      this.#askWho();
    } else {
      this.problem.value = error instanceof ApiError ? error.message : String(error);
    }
  }
}

/** Roughly what the session page will have room for; it says exactly when it is there. */
function likelyWindow(): WindowSize {
  return {
    cols: Math.max(20, Math.floor((window.innerWidth - 28) / 8.43)),
    rows: Math.max(5, Math.floor((window.innerHeight - 56) / 17)),
  };
}
