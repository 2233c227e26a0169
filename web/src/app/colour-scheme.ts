/** Which of the two palettes is shown: the person's choice, or else the system's. */

import { computed, effect, type ReadonlySignal, signal } from '@preact/signals';
import type { Settings } from './settings';

export type Scheme = 'dark' | 'light';

/** The scheme in force; `<html data-scheme>` follows it, and the style sheet follows that. */
export function openScheme(settings: ReadonlySignal<Settings>): ReadonlySignal<Scheme> {
  const query = window.matchMedia('(prefers-color-scheme: light)');
  const system = signal<Scheme>(query.matches ? 'light' : 'dark');
  query.addEventListener('change', () => {
    system.value = query.matches ? 'light' : 'dark';
  });
  const scheme = computed<Scheme>(() => {
    const { theme } = settings.value;
    return theme === 'auto' ? system.value : theme;
  });
  effect(() => {
    document.documentElement.dataset.scheme = scheme.value;
  });
  return scheme;
}
