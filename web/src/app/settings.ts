/** What a person chose on this device. Kept in local storage, where every page of this origin sees it. */

import { effect, type Signal, signal } from '@preact/signals';
import { FONT_SIZE_MAX, FONT_SIZE_MIN } from '../terminal/fit';

export type ThemeChoice = 'auto' | 'dark' | 'light';

export interface Settings {
  readonly fontSize: number;
  readonly theme: ThemeChoice;
  readonly screenReader: boolean;
}

export const DEFAULTS: Settings = { fontSize: 14, theme: 'auto', screenReader: false };

const KEY = 'hither.settings';

/** Settings from stored text; whatever is not valid takes its default. */
export function parseSettings(stored: string | null): Settings {
  let value: Partial<Record<keyof Settings, unknown>> = {};
  try {
    const parsed: unknown = JSON.parse(stored ?? '{}');
    value = typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    // Somebody else's text under our key.
  }
  const { fontSize, theme, screenReader } = value;
  return {
    fontSize: typeof fontSize === 'number' ? clampFontSize(fontSize) : DEFAULTS.fontSize,
    theme: theme === 'dark' || theme === 'light' ? theme : DEFAULTS.theme,
    screenReader: screenReader === true,
  };
}

export function clampFontSize(pixels: number): number {
  return Math.min(Math.max(Math.round(pixels), FONT_SIZE_MIN), FONT_SIZE_MAX);
}

/** The settings of this device; changes are stored, and arrive from other pages. */
export function openSettings(window: Window): Signal<Settings> {
  const settings = signal(parseSettings(read(window)));
  effect(() => write(window, JSON.stringify(settings.value)));
  window.addEventListener('storage', (event) => {
    if (event.key === KEY) {
      settings.value = parseSettings(event.newValue);
    }
  });
  return settings;
}

// Storage may be forbidden altogether; the page then forgets.
function read(window: Window): string | null {
  try {
    return window.localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function write(window: Window, text: string): void {
  try {
    if (window.localStorage.getItem(KEY) !== text) {
      window.localStorage.setItem(KEY, text);
    }
  } catch {
    // See `read`.
  }
}
