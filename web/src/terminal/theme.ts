/** Colours of the terminal. The page's own colours are in `ui/styles`; backgrounds match. */

export interface TermTheme {
  readonly background: string;
  readonly foreground: string;
  readonly cursor: string;
  readonly cursorAccent: string;
  readonly selectionBackground: string;
  /** Matches of a search, `#rrggbb`. */
  readonly match: string;
  readonly activeMatch: string;
  /** The 16 colours: black, red, green, yellow, blue, magenta, cyan, white; then the bright ones. */
  readonly ansi: readonly string[];
  /** Text is lightened or darkened until it has this contrast; 1 leaves it alone. */
  readonly contrast: number;
}

export const DARK: TermTheme = {
  background: '#12151c',
  foreground: '#d7dce5',
  cursor: '#7cc7b2',
  cursorAccent: '#12151c',
  selectionBackground: '#33415580',
  match: '#4a4326',
  activeMatch: '#8a6d1f',
  ansi: [
    '#2a303c',
    '#f07178',
    '#8fd18a',
    '#e6c07b',
    '#7aa8f0',
    '#c79bea',
    '#6fc9cf',
    '#c5ccd8',
    '#6b7587',
    '#ff8f95',
    '#abe3a4',
    '#f4d595',
    '#9cc1ff',
    '#dab7f7',
    '#94e0e4',
    '#f1f4f9',
  ],
  contrast: 1,
};

export const LIGHT: TermTheme = {
  background: '#fbfaf8',
  foreground: '#2a2f3a',
  cursor: '#23806a',
  cursorAccent: '#fbfaf8',
  selectionBackground: '#b9d4f080',
  match: '#f5e6b3',
  activeMatch: '#f0bf4c',
  ansi: [
    '#2a2f3a',
    '#c0323f',
    '#2c7a3d',
    '#8f6400',
    '#2459b8',
    '#8a3fae',
    '#0f7480',
    '#6b7280',
    '#596070',
    '#d14350',
    '#38914b',
    '#a87708',
    '#3570d4',
    '#a056c4',
    '#188a97',
    '#9aa1ad',
  ],
  // Programs choose their 256 colours for dark screens; on paper some would be unreadable.
  contrast: 4.5,
};
