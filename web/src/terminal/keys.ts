/** Bytes of the keys that a touch keyboard lacks. */

export type BarKey = 'Escape' | 'Tab' | 'ArrowUp' | 'ArrowDown' | 'ArrowLeft' | 'ArrowRight';

export interface Modifiers {
  readonly ctrl: boolean;
  readonly alt: boolean;
}

const ARROWS: Partial<Record<BarKey, string>> = {
  ArrowUp: 'A',
  ArrowDown: 'B',
  ArrowRight: 'C',
  ArrowLeft: 'D',
};

const ESC = '\u001b';

/** What a key of the bar sends. `applicationCursor` is DECCKM. */
export function encodeBarKey(key: BarKey, held: Modifiers, applicationCursor: boolean): string {
  const arrow = ARROWS[key];
  if (arrow === undefined) {
    return `${held.alt ? ESC : ''}${key === 'Escape' ? ESC : '\t'}`;
  }
  // xterm, "PC-Style Function Keys": 1 + 2 (Alt) + 4 (Ctrl).
  const modifier = 1 + (held.alt ? 2 : 0) + (held.ctrl ? 4 : 0);
  if (modifier > 1) {
    return `${ESC}[1;${modifier}${arrow}`;
  }
  return `${ESC}${applicationCursor ? 'O' : '['}${arrow}`;
}

/** What typed text becomes under held modifiers. Only a single character can be modified. */
export function applyModifiers(text: string, held: Modifiers): string {
  if (text.length !== 1) {
    return text;
  }
  const key = held.ctrl ? control(text) : text;
  return held.alt ? ESC + key : key;
}

function control(character: string): string {
  const code = character.toUpperCase().charCodeAt(0);
  if (character === ' ') {
    return '\u0000';
  }
  if (character === '?') {
    return '\u007f';
  }
  return code >= 0x40 && code <= 0x5f ? String.fromCharCode(code & 0x1f) : character;
}
