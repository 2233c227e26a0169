// The graphemes addon, loaded as a browser loads it.
//
// Where there is a `Buffer`, the addon decodes its table with it and then reads the table's header
// from the start of the pool that Node cuts small buffers from: every character beyond U+FFFF comes
// out narrow. Without one it uses `atob`, as on the page.
import { createRequire } from 'node:module';

const { Buffer } = globalThis;
globalThis.Buffer = undefined;
export const { UnicodeGraphemesAddon } = createRequire(import.meta.url)('@xterm/addon-unicode-graphemes');
globalThis.Buffer = Buffer;
