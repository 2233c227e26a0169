/** Text from programs and servers before it is shown: it is text, never markup, and cannot steer what is around it. */

/** Longest title shown, in code points. */
export const TITLE_CHARS_MAX = 256;

// Format characters reorder or hide text (bidi marks, zero-width characters, tags); only the joiner stays, since
// emoji need it. Separators break lines, surrogates are half a character, Hangul fillers look like nothing.
const INVISIBLE = /(?!\u200d)[\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u115f\u1160\u3164\uffa0]/gu;
const CONTROLS = /\p{Cc}/gu;

/** One line of visible text, at most `TITLE_CHARS_MAX` code points long. */
export function sanitiseTitle(text: string): string {
  // Cut first: a hostile title may be a megabyte long. Twice the limit leaves room for what is removed.
  const head = text.slice(0, TITLE_CHARS_MAX * 4);
  const visible = head.replace(INVISIBLE, '').replace(CONTROLS, ' ').replace(/\s+/gu, ' ').trim();
  const points = Array.from(visible);
  return points.length <= TITLE_CHARS_MAX
    ? points.join('')
    : `${points.slice(0, TITLE_CHARS_MAX - 1).join('')}…`;
}
