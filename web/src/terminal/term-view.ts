/** What the page needs of a terminal emulator. Everything but `xterm-view.ts` knows only this. */

import type { WindowSize } from '../session';
import type { TermTheme } from './theme';

/** A box in CSS pixels. */
export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

export interface Disposable {
  dispose(): void;
}

/** What a terminal tells its owner. */
export interface TermListener {
  /** Keys and mouse reports for the program. Never answers to its queries: the server gives those. */
  handleInput(bytes: Uint8Array): void;
  /** Text from the clipboard or dropped, as it came. */
  handlePaste(text: string): void;
  /** Ctrl+Shift+C and its like; the selection may be empty. */
  handleCopy(text: string): void;
  /** Ctrl+Shift+F. */
  handleFind(): void;
  /** The pointer is over a link, or has left it. */
  handleLinkHover(url: string | undefined): void;
}

export interface Search extends Disposable {
  /** Whether anything matched. */
  next(term: string): boolean;
  previous(term: string): boolean;
  /** Which match of how many is shown; `total` 0: none. */
  onResult: (index: number, total: number) => void;
}

export interface TermView extends Disposable {
  /** Parses `bytes`, then calls `done`. */
  write(bytes: Uint8Array, done: () => void): void;
  /** Resets everything, takes `size`, parses `bytes` without showing what is in between, then calls `done`. */
  replace(bytes: Uint8Array, size: WindowSize, done: () => void): void;
  resize(size: WindowSize): void;
  readonly size: WindowSize;

  /** Size of one cell with the present font. */
  readonly cell: PixelSize;
  setFontSize(pixels: number): void;
  setTheme(theme: TermTheme): void;
  setScreenReader(on: boolean): void;

  /** Whether the program wants pastes marked. */
  readonly bracketedPaste: boolean;
  /** Whether arrow keys are sent as SS3. */
  readonly applicationCursor: boolean;

  readonly selection: string;
  scrollToBottom(): void;
  focus(): void;
  openSearch(): Promise<Search>;
}
