//! Modes, cursor and pen: the end of a snapshot.

use super::Writer;
use crate::cell::{Cell, Glyph, Style};
use crate::charset::Charset;
use crate::modes::{CursorShape, MouseEncoding, MouseProtocol};

impl Writer<'_> {
    pub(super) fn write_modes(&mut self) {
        let modes = self.terminal.modes;
        let mouse = match modes.mouse.protocol {
            MouseProtocol::None => "",
            MouseProtocol::X10 => "\x1b[?9h",
            MouseProtocol::Vt200 => "\x1b[?1000h",
            MouseProtocol::Drag => "\x1b[?1002h",
            MouseProtocol::Any => "\x1b[?1003h",
        };
        let encoding = match modes.mouse.encoding {
            MouseEncoding::Default => "",
            MouseEncoding::Sgr => "\x1b[?1006h",
            MouseEncoding::SgrPixels => "\x1b[?1016h",
        };
        let blink = match modes.cursor_blink {
            None => "",
            Some(true) => "\x1b[?12h",
            Some(false) => "\x1b[?12l",
        };
        let switches = [
            (modes.insert, "\x1b[4h"),
            (modes.newline, "\x1b[20h"),
            (modes.application_cursor, "\x1b[?1h"),
            (modes.application_keypad, "\x1b="),
            (modes.origin, "\x1b[?6h"),
            (!modes.wraparound, "\x1b[?7l"),
            (modes.reverse_wraparound, "\x1b[?45h"),
            (modes.cursor_visible, "\x1b[?25h"),
            (!modes.cursor_visible, "\x1b[?25l"),
            (modes.focus_events, "\x1b[?1004h"),
            (modes.bracketed_paste, "\x1b[?2004h"),
            (modes.synchronized_output, "\x1b[?2026h"),
        ];
        for (_, text) in switches.into_iter().filter(|&(on, _)| on) {
            self.escape(text.as_bytes());
        }
        for text in [mouse, encoding, blink] {
            self.escape(text.as_bytes());
        }
        if let Some(blinks) = modes.cursor_shape_blink {
            let steady = match modes.cursor_shape {
                Some(CursorShape::Block) => 2,
                Some(CursorShape::Underline) => 4,
                Some(CursorShape::Bar) => 6,
                None => 8,
            };
            self.escape(format!("\x1b[{} q", steady - u8::from(blinks)).as_bytes());
        }
    }

    /// Character sets, cursor and pen. The last character is printed again when the next one could
    /// join it, and when the cursor waits behind the last column, where only printing leads.
    pub(super) fn write_cursor(&mut self) {
        let charsets = self.terminal.charsets;
        let restores = charsets.active != charsets.designated[charsets.level];
        // A character that may still be joined was printed under the sets of now, any other one
        // perhaps not.
        let charsets_first = restores || self.terminal.preceding.is_some();
        if charsets_first {
            self.write_charsets();
        }
        self.write_position();
        if !charsets_first {
            self.write_charsets();
        }
        self.set_pen();
        if self.terminal.preceding.is_none() {
            self.escape(b"\x1b\\");
        }
    }

    fn write_position(&mut self) {
        let buffer = self.terminal.buffer();
        let waits = buffer.x >= buffer.cols;
        let (start, cell) = self.last_printed();
        let again = waits || (self.terminal.preceding.is_some() && cell.glyph.has_content());
        if !again {
            self.place_cursor(buffer.x);
            return;
        }
        self.place_cursor(start);
        self.row.set_style(cell.style);
        if waits && !cell.glyph.has_content() && self.row_is_erased(cell.style) {
            // Behind an empty line: a space leads there, and is erased again.
            self.escape(b" \x1b[1K");
        } else {
            self.print_in_mode(cell);
        }
    }

    /// The cell before the cursor and its column.
    fn last_printed(&self) -> (usize, Cell) {
        let buffer = self.terminal.buffer();
        let row = buffer.row(buffer.y);
        let before = buffer.x.saturating_sub(1);
        let start = if row.get(before).is_orphan() { before.saturating_sub(1) } else { before };
        (start, row.get(start))
    }

    fn row_is_erased(&self, style: Style) -> bool {
        let buffer = self.terminal.buffer();
        let row = buffer.row(buffer.y);
        style == Style::erased(style.bg)
            && (0..buffer.cols).all(|x| row.get(x) == Cell::empty(style))
    }

    fn place_cursor(&mut self, x: usize) {
        let buffer = self.terminal.buffer();
        let origin = if self.terminal.modes.origin { buffer.top } else { 0 };
        let y = buffer.y.saturating_sub(origin);
        self.escape(format!("\x1b[{};{}H", y + 1, x + 1).as_bytes());
    }

    fn set_pen(&mut self) {
        let saved = self.terminal.pen.save();
        self.row.set_style_with(super::style::of_saved(saved), self.terminal.pen.extra());
    }

    fn first_char(&self, glyph: Glyph) -> Option<char> {
        match glyph.as_cluster() {
            Some(id) => self.terminal.pool.cluster(id).chars().next(),
            None => glyph.as_char(),
        }
    }

    /// Prints under the modes and the charset that are set by now.
    fn print_in_mode(&mut self, cell: Cell) {
        if self.terminal.modes.insert {
            // Printing pushes the rest back to where it was, as far as the first character of the
            // cluster is wide; columns that it gains later are overwritten.
            let first = self.first_char(cell.glyph).unwrap_or(' ');
            let width = crate::width::measure(first, None).leaves.width;
            self.escape(format!("\x1b[{width}P").as_bytes());
        }
        let printed_now = self.terminal.preceding.is_some();
        let charset = if printed_now { self.terminal.charsets.active } else { Charset::Ascii };
        let source = match cell.glyph.as_char() {
            Some(ch) if charset != Charset::Ascii => charset.unmap(ch),
            _ => None,
        };
        match source {
            Some(byte) => self.row.print_glyph(Glyph::ascii(byte)),
            None => self.row.print_glyph(cell.glyph),
        }
    }
}
