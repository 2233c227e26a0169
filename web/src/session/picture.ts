/** What the server has said about the session and this viewer. */

import type { Role, SessionEvent, Welcome, WindowSize } from '../protocol';
import type { Effect } from './effect';
import type { Status } from './status';
import { sanitiseTitle } from './title';

export class Picture {
  #viewer: number | undefined;
  #role: Role = 'operator';
  #title = '';
  #viewers: number | undefined;
  #size: WindowSize | undefined;
  #owner = 0;

  get role(): Role {
    return this.#role;
  }

  get view(): Pick<Status, 'title' | 'viewers' | 'size' | 'owner' | 'role'> {
    return {
      title: this.#title,
      viewers: this.#viewers,
      size: this.#size,
      owner: this.#ownership(),
      role: this.#role,
    };
  }

  handleWelcome(welcome: Welcome): Effect | undefined {
    this.#viewer = welcome.viewer;
    this.#role = welcome.role;
    this.#title = sanitiseTitle(welcome.title);
    return this.handleSize(welcome);
  }

  /** Answers what the terminal must do, if the size is a new one. */
  handleSize(stated: { readonly size: WindowSize; readonly owner: number }): Effect | undefined {
    const { size, owner } = stated;
    this.#owner = owner;
    if (this.#size?.cols === size.cols && this.#size.rows === size.rows) {
      return undefined;
    }
    this.#size = size;
    return { type: 'size', size };
  }

  /** A snapshot brings its own size to the terminal. */
  handleSnapshot(size: WindowSize): void {
    this.#size = size;
  }

  handleEvent(event: SessionEvent): Effect | undefined {
    switch (event.kind) {
      case 'title':
        this.#title = sanitiseTitle(event.title);
        return undefined;
      case 'viewers':
        this.#viewers = event.count;
        return undefined;
      case 'role':
        this.#role = event.role;
        return undefined;
      case 'bell':
        return { type: 'bell' };
      case 'other':
        return undefined;
    }
  }

  #ownership(): Status['owner'] {
    if (this.#owner === 0) {
      return 'nobody';
    }
    return this.#owner === this.#viewer ? 'self' : 'other';
  }
}
