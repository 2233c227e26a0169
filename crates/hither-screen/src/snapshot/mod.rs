//! The screen as control functions: what rebuilds it in a terminal that was just reset.
//!
//! Only functions are used that the page's terminal and this crate's both know, and no query.
//! Order matters: text first (printing needs the default modes), then what belongs to each buffer,
//! then modes, last the cursor with its pen, and the bytes of a sequence that is still open.

mod finish;
mod rows;
mod style;

use crate::buffer::Buffer;
use crate::charset::Charset;
use crate::parser::Parser;
use crate::pen::SavedPen;
use crate::tabs::TabStops;
use crate::terminal::{BufferKind, Terminal};
use rows::RowWriter;

/// How much a snapshot may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotLimits {
    /// Most lines above the screen.
    pub scrollback_lines_max: usize,
    /// Most bytes. The oldest lines of the scrollback are left out first, then colours, then text
    /// from the top of the screen; what is left (modes, cursor, title) takes at most 32 KiB, and
    /// is not shortened.
    pub bytes_max: usize,
}

impl Default for SnapshotLimits {
    /// The limits of the wire protocol: 1 MiB and 1,000 lines.
    fn default() -> Self {
        Self { scrollback_lines_max: 1000, bytes_max: 1 << 20 }
    }
}

/// How much of each line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    /// Everything.
    Full,
    /// Text without colours and hyperlinks, and none in this many rows at the top.
    Text { blank_rows: usize },
}

/// Writes the snapshot of a terminal and its parser.
pub(crate) fn write(terminal: &Terminal, parser: &Parser, limits: SnapshotLimits) -> Vec<u8> {
    let mut scrollback = terminal.normal.base().min(limits.scrollback_lines_max);
    let mut detail = Detail::Full;
    loop {
        // What is left at last is written whatever it takes.
        let last = detail == Detail::Text { blank_rows: terminal.rows() };
        let bytes_max = if last { usize::MAX } else { limits.bytes_max };
        let mut writer = Writer::new(terminal, bytes_max);
        writer.write(scrollback, detail);
        let written = writer.lines_written;
        let mut bytes = writer.row.out;
        parser.write_pending(&mut bytes);
        if bytes.len() <= bytes_max {
            return bytes;
        }
        if scrollback > 0 {
            scrollback = fewer(scrollback, written, scrollback + terminal.rows());
        } else {
            detail = detail.less(terminal.rows());
        }
    }
}

impl Detail {
    /// The next to try: an eighth of the rows fewer.
    fn less(self, rows: usize) -> Self {
        match self {
            Self::Full => Self::Text { blank_rows: 0 },
            Self::Text { blank_rows } => {
                Self::Text { blank_rows: (blank_rows + rows.div_ceil(8)).min(rows) }
            }
        }
    }
}

/// How many lines of scrollback to try next when only `written` of `all` lines fitted: in
/// proportion, a little less, at least one fewer.
fn fewer(scrollback: usize, written: usize, all: usize) -> usize {
    (scrollback * written / all * 9 / 10).min(scrollback - 1)
}

fn is_default_saved(buffer: &Buffer) -> bool {
    buffer.saved_row() == 0
        && buffer.saved.x == 0
        && buffer.saved.pen == SavedPen::default()
        && buffer.saved.charset == Charset::Ascii
}

/// The part of the writer that knows the terminal.
struct Writer<'a> {
    terminal: &'a Terminal,
    row: RowWriter<'a>,
    bytes_max: usize,
    /// Lines of the normal buffer that were written before there were too many bytes.
    lines_written: usize,
}

impl<'a> Writer<'a> {
    fn new(terminal: &'a Terminal, bytes_max: usize) -> Self {
        let row = RowWriter::new(&terminal.pool, terminal.cols());
        Self { terminal, row, bytes_max, lines_written: 0 }
    }

    fn write(&mut self, scrollback: usize, detail: Detail) {
        let terminal = self.terminal;
        self.write_globals();
        self.lines_written =
            self.write_lines(&terminal.normal, terminal.normal.base() - scrollback, detail);
        self.write_buffer(&terminal.normal);
        if terminal.active == BufferKind::Alternate {
            self.set_default_style();
            self.escape(b"\x1b[?1047h\x1b[H");
            self.write_lines(&terminal.alternate, 0, detail);
            self.write_buffer(&terminal.alternate);
        } else if !is_default_saved(&terminal.alternate) {
            self.set_default_style();
            self.escape(b"\x1b[?1047h");
            self.write_saved_cursor(&terminal.alternate);
            self.escape(b"\x1b[?1047l");
        }
        self.write_modes();
        self.write_cursor();
    }

    fn escape(&mut self, bytes: &[u8]) {
        self.row.escape(bytes);
    }

    fn set_default_style(&mut self) {
        self.row.set_style(crate::cell::Style::default());
    }

    /// What a reset of the page's terminal leaves as it was: line feed mode, colours, title.
    fn write_globals(&mut self) {
        self.escape(b"\x1b[20l\x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\\x1b]112\x1b\\");
        for (slot, (r, g, b)) in self.terminal.palette.iter() {
            let number = slot.number();
            self.escape(format!("\x1b]{number};rgb:{r:02x}/{g:02x}/{b:02x}\x1b\\").as_bytes());
        }
        self.escape(format!("\x1b]2;{}\x1b\\", self.terminal.title).as_bytes());
    }

    /// Writes the lines from `first` on until there are too many bytes; returns how many.
    fn write_lines(&mut self, buffer: &Buffer, first: usize, detail: Detail) -> usize {
        let blank_until = match detail {
            Detail::Full => 0,
            Detail::Text { blank_rows } => buffer.base() + blank_rows,
        };
        let blank = crate::row::Row::default();
        self.row.plain = detail != Detail::Full;
        self.row.start_line();
        let mut written = 0;
        for (at, row) in buffer.lines.iter().enumerate().skip(first) {
            if self.row.out.len() > self.bytes_max {
                break;
            }
            let row = if at < blank_until { &blank } else { row };
            if at > first {
                self.row.next_line(row, &buffer.lines[at - 1], at <= blank_until);
            }
            let next = buffer.lines.get(at + 1);
            let continues = at >= blank_until && next.is_some_and(|next| next.wrapped);
            self.row.write_row(row, continues);
            written += 1;
        }
        self.row.plain = false;
        self.set_default_style();
        written
    }

    /// Tab stops, saved cursor and scroll region of a buffer that is on the screen.
    fn write_buffer(&mut self, buffer: &Buffer) {
        let default = TabStops::every_eighth(buffer.cols);
        if !buffer.tabs.iter(buffer.cols).eq(default.iter(buffer.cols)) {
            self.escape(b"\x1b[3g");
            for x in buffer.tabs.iter(buffer.cols) {
                self.escape(format!("\x1b[{}G\x1bH", x + 1).as_bytes());
            }
        }
        if !is_default_saved(buffer) {
            self.write_saved_cursor(buffer);
        }
        if (buffer.top, buffer.bottom) != (0, buffer.rows - 1) {
            self.escape(format!("\x1b[{};{}r", buffer.top + 1, buffer.bottom + 1).as_bytes());
        }
    }

    fn write_saved_cursor(&mut self, buffer: &Buffer) {
        let saved = buffer.saved;
        let row = buffer.saved_row().min(buffer.rows - 1);
        self.row.set_style(style::of_saved(saved.pen));
        self.escape(format!("\x1b[{};{}H", row + 1, saved.x.min(buffer.cols - 1) + 1).as_bytes());
        let (open, close): (&[u8], &[u8]) = match saved.pen.has_link() {
            true => (b"\x1b]8;;#\x1b\\", b"\x1b]8;;\x1b\\"),
            false => (b"", b""),
        };
        self.escape(open);
        self.escape(&[0x1b, b'(', saved.charset.final_byte()]);
        self.escape(b"\x1b7\x1b(B");
        self.escape(close);
        self.set_default_style();
    }

    fn write_charsets(&mut self) {
        let charsets = self.terminal.charsets;
        for (slot, charset) in b"()*+".iter().zip(charsets.designated) {
            if charset != Charset::Ascii {
                self.escape(&[0x1b, *slot, charset.final_byte()]);
            }
        }
        match charsets.level {
            1 => self.escape(b"\x0e"),
            2 => self.escape(b"\x1bn"),
            3 => self.escape(b"\x1bo"),
            _ => {}
        }
        if charsets.active != charsets.designated[charsets.level] {
            // Only DECRC leads here, so the saved cursor normally has the set; what else it
            // restores is written after it.
            self.escape(b"\x1b8");
            self.row.forget_style();
        }
    }
}
