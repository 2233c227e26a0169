// Compares two ways to the same terminal, as the page would see them.
//
// Reads jobs from standard input, one JSON object a line:
//   {"cols","rows","scrollback","left":[op…],"right":[op…],"probe":op?}
// where an op is {"write": base64} or {"resize": [cols, rows]}. Both lists go into a fresh terminal
// each; then everything that can be seen or felt is compared, the probe is written to both, and it
// is compared again. Answers one line a job: counts of what was compared and of what differs, with
// the first differences in words, and the replies of the left terminal.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { UnicodeGraphemesAddon } from './addon.mjs';

const { Terminal } = createRequire(import.meta.url)('@xterm/headless');

const DIFFERENCES_MAX = 4;

function open({ cols, rows, scrollback }) {
  const terminal = new Terminal({ cols, rows, scrollback, allowProposedApi: true, logLevel: 'off' });
  terminal.loadAddon(new UnicodeGraphemesAddon());
  terminal.unicode.activeVersion = '15-graphemes';
  const side = { terminal, replies: '', tail: Buffer.alloc(0) };
  terminal.onData((data) => (side.replies += data));
  return side;
}

// Bytes at the end that start a character: xterm.js 6.0 garbles some of them when a write ends
// there, so the page holds them back, too.
function tailLength(bytes) {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if ((byte & 0xc0) === 0x80) continue;
    const wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return wanted > back ? back : 0;
  }
  return 0;
}

function apply(side, op) {
  if (op.resize) {
    side.terminal.resize(...op.resize);
    return;
  }
  const bytes = Buffer.concat([side.tail, Buffer.from(op.write, 'base64')]);
  const end = bytes.length - tailLength(bytes);
  side.tail = bytes.subarray(end);
  side.terminal._core.writeSync(new Uint8Array(bytes.subarray(0, end)));
}

function color(mode, value) {
  return mode === 0 ? 'default' : `${mode >> 24}:${value}`;
}

function describeCell(core, line, cell) {
  const link = cell.hasExtendedAttrs() ? cell.extended.urlId : 0;
  const uri = link ? core._oscLinkService.getLinkData(link)?.uri : '';
  const flags = [
    cell.isBold(), cell.isDim(), cell.isItalic(), cell.isBlink(), cell.isInverse(), cell.isInvisible(),
    cell.isStrikethrough(), cell.isOverline(), cell.isProtected(),
  ];
  const underline = link ? 'link' : cell.isUnderline() ? cell.getUnderlineStyle() : 0;
  const underlineColor = underline && !link ? color(cell.getUnderlineColorMode(), cell.getUnderlineColor()) : '';
  const fg = color(cell.getFgColorMode(), cell.getFgColor());
  const bg = color(cell.getBgColorMode(), cell.getBgColor());
  const bits = flags.map((flag) => (flag ? 1 : 0)).join('');
  return `${JSON.stringify(cell.getChars())}/${cell.getWidth()} ${fg} ${bg} ${bits} ${underline} ${underlineColor} ${uri}`;
}

function describeLine(core, line, cols, cell) {
  const cells = [];
  for (let x = 0; x < cols; x++) cells.push(describeCell(core, line, line.loadCell(x, cell)));
  return cells;
}

function describeBuffer(core, buffer) {
  const cell = core._bufferService.buffer.getNullCell().constructor.fromCharData([0, '', 1, 0]);
  const lines = [];
  for (let y = 0; y < buffer.lines.length; y++) {
    const line = buffer.lines.get(y);
    lines.push({ cells: describeLine(core, line, core.cols, cell), wrapped: y > 0 && line.isWrapped });
  }
  return { lines, base: buffer.ybase };
}

function describeCursor(core) {
  const { x, y } = core._bufferService.buffer;
  return `${x},${y}`;
}

function describePerBuffer(buffer, cols, rows) {
  const stops = Object.keys(buffer.tabs).filter((x) => buffer.tabs[x] && x < cols).join(',');
  const savedRow = Math.min(Math.max(buffer.savedY - buffer.ybase, 0), rows - 1);
  const saved = `${Math.min(buffer.savedX, cols - 1)},${savedRow}`;
  return { region: `${buffer.scrollTop}-${buffer.scrollBottom}`, stops, saved };
}

function describeModes(core) {
  const { buffers } = core._bufferService;
  const alternate = buffers.active === buffers.alt;
  return {
    ...core.coreService.decPrivateModes,
    insert: core.coreService.modes.insertMode,
    newline: core.optionsService.rawOptions.convertEol,
    hidden: core.coreService.isCursorHidden,
    mouse: core.coreMouseService.activeProtocol,
    encoding: core.coreMouseService.activeEncoding,
    alternate,
    normalBuffer: describePerBuffer(buffers.normal, core.cols, core.rows),
    alternateBuffer: alternate ? describePerBuffer(buffers.alt, core.cols, core.rows) : undefined,
    charset: JSON.stringify(core._charsetService.charset ?? null),
    level: core._charsetService.glevel,
  };
}

function describe({ terminal }) {
  const core = terminal._core;
  const { buffers } = core._bufferService;
  return {
    normal: describeBuffer(core, buffers.normal),
    alternate: describeBuffer(core, buffers.alt),
    cursor: describeCursor(core),
    modes: describeModes(core),
  };
}

// xterm.js forgets the address of a link when the line where it began is deleted, though its cells
// are still there: a forgotten address equals any.
function sameCell(one, other) {
  if (one === other) return true;
  const [a, b] = [one.split(' link  '), other.split(' link  ')];
  return a[0] === b[0] && a.length === b.length && (a[1] === 'undefined' || b[1] === 'undefined');
}

class Comparison {
  cells = 0;
  cellsDifferent = 0;
  wraps = 0;
  wrapsDifferent = 0;
  cursors = 0;
  cursorsDifferent = 0;
  modes = 0;
  modesDifferent = 0;
  differences = [];

  note(text) {
    if (this.differences.length < DIFFERENCES_MAX) this.differences.push(text);
  }

  buffer(name, left, right) {
    const height = Math.max(left.lines.length, right.lines.length);
    if (left.lines.length !== right.lines.length) {
      this.note(`${name}: ${left.lines.length} lines | ${right.lines.length} lines`);
    }
    for (let back = 1; back <= height; back++) {
      const [one, other] = [left.lines.at(-back), right.lines.at(-back)];
      const width = (one ?? other).cells.length;
      this.cells += width;
      this.wraps += 1;
      if (!one || !other) {
        this.cellsDifferent += width;
        continue;
      }
      if (one.wrapped !== other.wrapped) {
        this.wrapsDifferent += 1;
        this.note(`${name} line -${back}: wrapped ${one.wrapped} | ${other.wrapped}`);
      }
      for (let x = 0; x < width; x++) {
        if (sameCell(one.cells[x], other.cells[x])) continue;
        this.cellsDifferent += 1;
        this.note(`${name} line -${back} column ${x}: ${one.cells[x]} | ${other.cells[x]}`);
      }
    }
  }

  cursor(left, right) {
    this.cursors += 1;
    if (left === right) return;
    this.cursorsDifferent += 1;
    this.note(`cursor: ${left} | ${right}`);
  }

  mode(left, right) {
    this.modes += 1;
    const [one, other] = [JSON.stringify(left), JSON.stringify(right)];
    if (one === other) return;
    this.modesDifferent += 1;
    for (const name of Object.keys(left)) {
      const [a, b] = [JSON.stringify(left[name]), JSON.stringify(right[name])];
      if (a !== b) this.note(`${name}: ${a} | ${b}`);
    }
  }

  all(left, right) {
    const [one, other] = [describe(left), describe(right)];
    this.buffer('normal', one.normal, other.normal);
    this.buffer('alternate', one.alternate, other.alternate);
    this.cursor(one.cursor, other.cursor);
    this.mode(one.modes, other.modes);
  }
}

function run(job) {
  const [left, right] = [open(job), open(job)];
  const comparison = new Comparison();
  try {
    for (const op of job.left) apply(left, op);
  } catch (error) {
    return { failed: `${error}` };
  }
  for (const op of job.right) apply(right, op);
  comparison.all(left, right);
  const { replies } = left;
  if (job.probe) {
    apply(left, job.probe);
    apply(right, job.probe);
    comparison.all(left, right);
  }
  left.terminal.dispose();
  right.terminal.dispose();
  return { ...comparison, replies };
}

console.warn = () => {};
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(run(JSON.parse(line)))}\n`);
}
