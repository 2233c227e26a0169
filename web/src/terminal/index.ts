/** The terminal of the page: an emulator behind `TermView`, and what stands before it. */

export { FONT_SIZE_MAX, FONT_SIZE_MIN, FONT_STEP, fontThatFits, windowThatFits } from './fit';
export { applyModifiers, type BarKey, encodeBarKey, type Modifiers } from './keys';
export { countLines, encodePaste, previewPaste, runsAtOnce, sanitisePaste } from './paste';
export { ScreenFeed } from './screen-feed';
export type { Disposable, PixelSize, Search, TermListener, TermView } from './term-view';
export { DARK, LIGHT, type TermTheme } from './theme';
export { XtermView } from './xterm-view';
