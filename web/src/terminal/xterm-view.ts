/** `TermView` by xterm.js. The only file that knows it. */

import type { SearchAddon } from '@xterm/addon-search';
import { UnicodeGraphemesAddon } from '@xterm/addon-unicode-graphemes';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { type ITheme, Terminal } from '@xterm/xterm';
import type { WindowSize } from '../session';
import { limitCounts } from './count-limit';
import { hasRealGpu } from './gpu';
import { openLink, safeLink } from './links';
import { QueryMute } from './query-mute';

import { obeyStylePolicy } from './style-policy';
import type { Disposable, PixelSize, Search, TermListener, TermView } from './term-view';
import type { TermTheme } from './theme';
import { enableTouchScroll } from './touch-scroll';

/** Lines kept above the screen; 12 bytes a cell. */
const SCROLLBACK_LINES = 10_000;

const FONT_FAMILY = [
  'ui-monospace',
  '"SF Mono"',
  '"Cascadia Mono"',
  '"JetBrains Mono"',
  'Menlo',
  'Consolas',
  '"DejaVu Sans Mono"',
  '"Noto Sans Mono CJK JP"',
  'monospace',
].join(', ');

/** Full reset, then hold the picture until the end: nobody sees a half-built screen. */
const REPLACE_START = new TextEncoder().encode('\u001bc\u001b[?2026h');
const REPLACE_END = new TextEncoder().encode('\u001b[?2026l');

export interface XtermOptions {
  readonly fontSize: number;
  readonly theme: TermTheme;
  readonly screenReader: boolean;
}

export class XtermView implements TermView {
  readonly #term: Terminal;
  readonly #host: HTMLElement;
  readonly #screen: HTMLElement;
  readonly #listener: TermListener;
  readonly #abort = new AbortController();
  readonly #touch: Disposable;
  #theme: TermTheme;
  #search: SearchAddon | undefined;
  #searching = false;

  constructor(host: HTMLElement, options: XtermOptions, listener: TermListener) {
    this.#host = host;
    this.#listener = listener;
    this.#theme = options.theme;
    this.#term = new Terminal({
      allowProposedApi: true,
      scrollback: SCROLLBACK_LINES,
      fontFamily: FONT_FAMILY,
      fontSize: options.fontSize,
      cursorBlink: false,
      macOptionClickForcesSelection: true,
      rightClickSelectsWord: false,
      screenReaderMode: options.screenReader,
      windowOptions: {},
      linkHandler: this.#linkHandler(),
      ...themeOptions(options.theme),
    });
    this.#term.loadAddon(new UnicodeGraphemesAddon());
    const mute = new QueryMute(this.#term.parser);
    limitCounts(this.#term);
    obeyStylePolicy(host.ownerDocument);
    this.#term.open(host);
    const screen = host.querySelector<HTMLElement>('.xterm-screen');
    if (screen === null) {
      throw new Error('the emulator has no screen element');
    }
    this.#screen = screen;
    this.#listenToKeys(mute);
    this.#listenToPaste();
    this.#loadLinks();
    this.#touch = enableTouchScroll(host, {
      lineHeight: () => this.cell.height,
      scroll: (lines, touch) => this.#scrollByTouch(lines, touch),
    });
    void this.#useGpu();
  }

  write(bytes: Uint8Array, done: () => void): void {
    this.#term.write(bytes, done);
  }

  replace(bytes: Uint8Array, size: WindowSize, done: () => void): void {
    this.resize(size);
    const script = new Uint8Array(REPLACE_START.length + bytes.length + REPLACE_END.length);
    script.set(REPLACE_START);
    script.set(bytes, REPLACE_START.length);
    script.set(REPLACE_END, REPLACE_START.length + bytes.length);
    this.#term.write(script, done);
  }

  resize({ cols, rows }: WindowSize): void {
    if (cols !== this.#term.cols || rows !== this.#term.rows) {
      this.#term.resize(cols, rows);
    }
  }

  get size(): WindowSize {
    return { cols: this.#term.cols, rows: this.#term.rows };
  }

  get cell(): PixelSize {
    // The renderer writes whole pixels into the style; layout would answer after transforms.
    const { width, height } = this.#screen.style;
    return {
      width: Number.parseFloat(width) / this.#term.cols,
      height: Number.parseFloat(height) / this.#term.rows,
    };
  }

  setFontSize(pixels: number): void {
    this.#term.options.fontSize = pixels;
  }

  setTheme(theme: TermTheme): void {
    this.#theme = theme;
    this.#applyTheme();
  }

  setScreenReader(on: boolean): void {
    this.#term.options.screenReaderMode = on;
  }

  get bracketedPaste(): boolean {
    return this.#term.modes.bracketedPasteMode;
  }

  get applicationCursor(): boolean {
    return this.#term.modes.applicationCursorKeysMode;
  }

  get selection(): string {
    return this.#term.getSelection();
  }

  scrollToBottom(): void {
    this.#term.scrollToBottom();
  }

  focus(): void {
    this.#term.focus();
  }

  async openSearch(): Promise<Search> {
    if (this.#search === undefined) {
      const { SearchAddon } = await import('@xterm/addon-search');
      this.#search = new SearchAddon();
      this.#term.loadAddon(this.#search);
    }
    const addon = this.#search;
    const options = () => ({
      decorations: {
        matchBackground: this.#theme.match,
        matchOverviewRuler: this.#theme.activeMatch,
        activeMatchBackground: this.#theme.activeMatch,
        activeMatchColorOverviewRuler: this.#theme.activeMatch,
      },
    });
    const search: Search = {
      next: (term) => addon.findNext(term, options()),
      previous: (term) => addon.findPrevious(term, options()),
      onResult: () => undefined,
      dispose: () => {
        results.dispose();
        addon.clearDecorations();
        this.#term.clearSelection();
        this.#searching = false;
        this.#applyTheme();
      },
    };
    this.#searching = true;
    this.#applyTheme();
    const results = addon.onDidChangeResults((found) =>
      search.onResult(found.resultIndex, found.resultCount),
    );
    return search;
  }

  dispose(): void {
    this.#abort.abort();
    this.#touch.dispose();
    this.#term.dispose();
  }

  #applyTheme(): void {
    const options = themeOptions(this.#theme);
    if (this.#searching) {
      // The match that is shown is also selected, in a terminal without focus.
      options.theme.selectionInactiveBackground = this.#theme.activeMatch;
    }
    Object.assign(this.#term.options, options);
  }

  #listenToKeys(mute: QueryMute): void {
    const encoder = new TextEncoder();
    this.#term.onData((data) => {
      if (!mute.muted) {
        this.#listener.handleInput(encoder.encode(data));
      }
    });
    // Mouse reports of the old encoding are bytes, one per character.
    this.#term.onBinary((data) => {
      this.#listener.handleInput(Uint8Array.from(data, (character) => character.charCodeAt(0)));
    });
    this.#term.attachCustomKeyEventHandler((event) => this.#passToProgram(event));
  }

  /** Our own keys: Ctrl+Shift+letter, ⌘+letter on a Mac. Everything else belongs to the program. */
  #passToProgram(event: KeyboardEvent): boolean {
    const ours = event.ctrlKey && event.shiftKey && !event.altKey && !event.metaKey;
    const command = event.metaKey && !event.ctrlKey && !event.altKey && !event.shiftKey;
    if (!ours && !command) {
      return true;
    }
    switch (event.code) {
      case 'KeyC':
        if (ours && event.type === 'keydown') {
          event.preventDefault();
          this.#listener.handleCopy(this.selection);
        }
        return false;
      case 'KeyV':
        // The browser turns it into a paste event.
        return false;
      case 'KeyF':
        if (event.type === 'keydown') {
          event.preventDefault();
          this.#listener.handleFind();
        }
        return false;
      default:
        return true;
    }
  }

  /** In the capture phase: the emulator's own paste lets a bracket be broken out of. */
  #listenToPaste(): void {
    const options = { capture: true, signal: this.#abort.signal };
    const take = (event: Event, data: DataTransfer | null) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      const text = data?.getData('text/plain') ?? '';
      if (text !== '') {
        this.#listener.handlePaste(text);
      }
    };
    this.#host.addEventListener('paste', (event) => take(event, event.clipboardData), options);
    this.#host.addEventListener('drop', (event) => take(event, event.dataTransfer), options);
    this.#host.addEventListener('dragover', (event) => event.preventDefault(), options);
  }

  /** The scrollback moves; a program that takes the wheel, or that has no scrollback, gets wheel steps. */
  #scrollByTouch(lines: number, { clientX, clientY }: Touch): void {
    const { modes, buffer } = this.#term;
    if (modes.mouseTrackingMode === 'none' && buffer.active.type === 'normal') {
      this.#term.scrollLines(lines);
      return;
    }
    const step = { deltaY: Math.sign(lines), deltaMode: WheelEvent.DOM_DELTA_LINE };
    for (let line = 0; line < Math.abs(lines); line += 1) {
      const place = { clientX, clientY, bubbles: true, cancelable: true };
      this.#screen.dispatchEvent(new WheelEvent('wheel', { ...step, ...place }));
    }
  }

  #linkHandler() {
    return {
      activate: (_event: MouseEvent, url: string) => openLink(url),
      hover: (_event: MouseEvent, url: string) => this.#listener.handleLinkHover(safeLink(url)),
      leave: () => this.#listener.handleLinkHover(undefined),
      allowNonHttpProtocols: false,
    };
  }

  #loadLinks(): void {
    const { activate, hover, leave } = this.#linkHandler();
    this.#term.loadAddon(new WebLinksAddon(activate, { hover, leave }));
  }

  async #useGpu(): Promise<void> {
    if (!hasRealGpu(this.#host.ownerDocument)) {
      return;
    }
    const { WebglAddon } = await import('@xterm/addon-webgl');
    if (this.#abort.signal.aborted) {
      return;
    }
    const addon = new WebglAddon();
    // Without a context the emulator goes back to its DOM renderer.
    addon.onContextLoss(() => addon.dispose());
    try {
      this.#term.loadAddon(addon);
    } catch {
      addon.dispose();
    }
  }
}

const ANSI_NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const;

function themeOptions(theme: TermTheme): { theme: ITheme; minimumContrastRatio: number } {
  const { ansi, match: _match, activeMatch: _activeMatch, contrast, ...colours } = theme;
  const named: Record<string, string> = {};
  ANSI_NAMES.forEach((name, index) => {
    const bright = `bright${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    named[name] = ansi[index] ?? theme.foreground;
    named[bright] = ansi[index + ANSI_NAMES.length] ?? theme.foreground;
  });
  return { theme: { ...colours, ...named }, minimumContrastRatio: contrast };
}
