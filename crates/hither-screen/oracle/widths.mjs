// Prints src/width/table.rs: the grapheme break class and the width of every code point as the
// page's terminal sees them, measured by asking it for each of the 1,114,112.
import { UnicodeGraphemesAddon } from './addon.mjs';


let provider;
const unicode = {
  register(candidate) {
    if (candidate.version === '15-graphemes') provider = candidate;
  },
};
new UnicodeGraphemesAddon().activate({ unicode });

// With nothing before it, a character's properties are its class (4 bits) and width (2 bits).
function info(code) {
  if (code >= 0x20 && code < 0x7f) return 1;
  if (code >= 0xac00 && code <= 0xd7a3) return -1; // Hangul syllables are computed
  const value = provider.charProperties(code, 0);
  return (((value >> 3) & 15) << 2) | ((value >> 1) & 3);
}

const ranges = [];
let last;
for (let code = 0; code < 0x110000; code++) {
  const now = info(code);
  if (now !== last && now !== -1) ranges.push([code, now]);
  last = now === -1 ? last : now;
}
console.log(`//! Made by \`node oracle/widths.mjs\`: do not edit.

/// First code point of each range: \`code << 6 | class << 2 | width\`, ascending.
#[rustfmt::skip]
pub(super) const RANGES: &[u32] = &[`);
for (let at = 0; at < ranges.length; at += 8) {
  const row = ranges.slice(at, at + 8);
  console.log(`    ${row.map(([code, value]) => `0x${((code << 6) | value).toString(16).padStart(7, '0')},`).join(' ')}`);
}
console.log('];');
