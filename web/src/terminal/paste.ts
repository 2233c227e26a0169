/** What text from the clipboard becomes before a program gets it. */

const BRACKET_START = '\u001b[200~';
const BRACKET_END = '\u001b[201~';

// Every control character but tab and line ends: ESC could end the bracket and type commands, C1 is ESC in one
// byte, ^C and ^D would act. Line and paragraph separators are line ends.
const FORBIDDEN = /(?![\t\n\r])\p{Cc}/gu;
const LINE_ENDS = /\r\n|[\n\u2028\u2029]/gu;

/** Text that types only what it shows, with the line ends of a keyboard. */
export function sanitisePaste(text: string): string {
  return text.replace(LINE_ENDS, '\r').replace(FORBIDDEN, '');
}

/** Whether a shell without bracketed paste would run something before the person presses Enter. */
export function runsAtOnce(sanitised: string): boolean {
  return sanitised.includes('\r');
}

/** The bytes for the program. `sanitised` comes from `sanitisePaste`. */
export function encodePaste(sanitised: string, bracketed: boolean): Uint8Array {
  const text = bracketed ? `${BRACKET_START}${sanitised}${BRACKET_END}` : sanitised;
  return new TextEncoder().encode(text);
}

/** The lines that a dialog shows; a paste may have a million. */
export function previewPaste(sanitised: string, linesMax: number): readonly string[] {
  return sanitised.split('\r', linesMax);
}

/** How many lines there are; an empty last one does not count. */
export function countLines(sanitised: string): number {
  const ends = sanitised.split('\r').length;
  return sanitised.endsWith('\r') ? ends - 1 : ends;
}
