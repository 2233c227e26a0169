/** What the share dialog shows and does, without its markup. */

import { type Signal, signal } from '@preact/signals';
import {
  type Api,
  ApiError,
  type GrantInfo,
  type NewShare,
  type ShareInfo,
  type ShareLevel,
  type ViewerInfo,
} from './api';

export class ShareModel {
  readonly shares: Signal<readonly ShareInfo[]> = signal([]);
  readonly viewers: Signal<readonly ViewerInfo[]> = signal([]);
  readonly grants: Signal<readonly GrantInfo[]> = signal([]);
  /** The address of the link that was made last; it is shown this once. */
  readonly address: Signal<string | undefined> = signal(undefined);
  readonly problem: Signal<string | undefined> = signal(undefined);
  readonly #api: Api;
  readonly #id: string;

  constructor(api: Api, id: string) {
    this.#api = api;
    this.#id = id;
  }

  refresh(): Promise<void> {
    return this.#try(async () => undefined);
  }

  create(wanted: NewShare): Promise<void> {
    return this.#try(async () => {
      this.address.value = await this.#api.share(this.#id, wanted);
    });
  }

  revoke(share: number): Promise<void> {
    return this.#try(() => this.#api.revokeShare(this.#id, share));
  }

  /** Answers whether the user has the level now. */
  async grant(user: string, level: ShareLevel): Promise<boolean> {
    await this.#try(() => this.#api.setGrant(this.#id, user, level));
    return this.problem.value === undefined;
  }

  removeGrant(user: string): Promise<void> {
    return this.#try(() => this.#api.removeGrant(this.#id, user));
  }

  setLevel(viewer: number, level: ShareLevel): Promise<void> {
    return this.#try(() => this.#api.setLevel(this.#id, viewer, level));
  }

  sendAway(viewer: number): Promise<void> {
    return this.#try(() => this.#api.sendAway(this.#id, viewer));
  }

  /** Does it and looks at what there is now. */
  async #try(action: () => Promise<void>): Promise<void> {
    try {
      this.problem.value = undefined;
      await action();
      this.viewers.value = await this.#api.viewers(this.#id);
      this.shares.value = await this.#api.shares(this.#id);
      this.grants.value = await this.#api.grants(this.#id);
    } catch (error) {
      this.problem.value = error instanceof ApiError ? error.message : String(error);
    }
  }
}
