//! Printing characters.

use super::Terminal;
use crate::cell::{Cell, Glyph, Style};
use crate::charset::Charset;
use crate::pool::CLUSTER_BYTES_MAX;
use crate::width::{Measured, Preceding, measure};

impl Terminal {
    /// Prints ASCII, most of it a line at a time.
    pub(super) fn write_ascii(&mut self, text: &[u8]) {
        let slow = self.modes.insert
            || self.charsets.active != Charset::Ascii
            || self.preceding.is_some_and(Preceding::joins_ascii);
        if slow {
            for &byte in text {
                let ch = self.charsets.active.map(byte);
                self.put(ch);
            }
            return;
        }
        let (style, cols) = (self.style(), self.cols());
        self.mend_left(style);
        let mut rest = text;
        while !rest.is_empty() {
            if self.buffer().x >= cols {
                self.wrap_or_stay(style);
            }
            let buffer = self.buffer_mut();
            let fits = rest.len().min(cols - buffer.x);
            let (now, later) = rest.split_at(fits);
            let x = buffer.x;
            buffer.cursor_row().write_ascii(x, now, style);
            buffer.x += fits;
            rest = later;
        }
        self.mend_right(style);
        self.preceding = Some(Preceding::ASCII);
    }

    /// Prints a character beyond ASCII.
    pub(super) fn write_char(&mut self, ch: char) {
        self.put(ch);
    }

    /// Prints what the charset has already been applied to.
    fn put(&mut self, ch: char) {
        let style = self.style();
        self.mend_left(style);
        let measured = measure(ch, self.preceding);
        let placed = self.place(ch, measured, style);
        self.preceding = placed.then_some(measured.leaves);
        self.mend_right(style);
    }

    /// Returns whether there was room for it.
    fn place(&mut self, ch: char, measured: Measured, style: Style) -> bool {
        let cols = self.cols();
        let width = usize::from(measured.leaves.width);
        let old_width = match (measured.joins, self.preceding) {
            (true, Some(before)) => usize::from(before.width),
            _ => 0,
        };
        if self.buffer().x + width > cols + old_width {
            if self.modes.wraparound {
                self.wrap_wide(old_width, style);
            } else {
                self.stay(style);
                if width == 2 {
                    return false;
                }
            }
        }
        if measured.joins && self.buffer().x > 0 {
            self.join(ch, width, width.saturating_sub(old_width), style);
            return true;
        }
        if self.modes.insert {
            let (fill, x) = (Cell::empty(style), self.buffer().x);
            self.buffer_mut().cursor_row().insert(x, width - old_width.min(width), fill, cols);
        }
        let buffer = self.buffer_mut();
        let x = buffer.x;
        let row = buffer.cursor_row();
        row.set(x, Cell { glyph: Glyph::char(ch, measured.leaves.width), style });
        if width == 2 && x + 1 < cols {
            row.set(x + 1, Cell { glyph: Glyph::SPACER, style });
        }
        buffer.x = (x + width).min(cols);
        true
    }

    /// Goes on at the start of the next line, or stays in the last column.
    fn wrap_or_stay(&mut self, style: Style) {
        if self.modes.wraparound {
            self.wrap();
        } else {
            self.stay(style);
        }
    }

    fn stay(&mut self, style: Style) {
        self.buffer_mut().x = self.cols() - 1;
        self.mend_left(style);
    }

    fn wrap(&mut self) {
        let bg = self.bg();
        let buffer = self.buffer_mut();
        buffer.x = 0;
        if buffer.y == buffer.bottom {
            buffer.scroll(bg, true);
        } else {
            buffer.y = (buffer.y + 1).min(buffer.rows - 1);
            buffer.cursor_row().wrapped = true;
        }
    }

    /// Wraps before a character that does not fit. A cluster that has just grown too wide for the
    /// last column moves along; what is left of the old line is emptied.
    fn wrap_wide(&mut self, moved: usize, style: Style) {
        let cols = self.cols();
        let from = self.buffer().x - moved;
        let cells = self.buffer_mut().cursor_row().slice(from, from + moved);
        for x in from..cols {
            self.buffer_mut().cursor_row().set(x, Cell::empty(style));
        }
        self.wrap();
        let buffer = self.buffer_mut();
        buffer.x = moved;
        buffer.cursor_row().copy_from(&cells, 0);
    }

    /// Adds a character to the cluster before the cursor, which may grow by a column.
    fn join(&mut self, ch: char, width: usize, grown: usize, style: Style) {
        let cols = self.cols();
        let x = self.buffer().x;
        let at = match self.buffer_mut().cursor_row().width_at(x - 1) {
            0 => x.saturating_sub(2),
            _ => x - 1,
        };
        let row = self.buffer_mut().cursor_row();
        let mut cell = row.get(at);
        // Without a second column (the cluster did not fit and could not wrap) it stays narrow.
        let wide = width == 2 && (grown > 0 || row.get(at + 1).is_orphan());
        cell.glyph = self.joined(cell.glyph, ch, if wide { 2 } else { 1 });
        let buffer = self.buffer_mut();
        let row = buffer.cursor_row();
        row.set(at, cell);
        for x in x..(x + grown).min(cols) {
            row.set(x, Cell { glyph: Glyph::SPACER, style });
        }
        buffer.x = (x + grown).min(cols);
    }

    fn joined(&mut self, glyph: Glyph, ch: char, width: u8) -> Glyph {
        let mut text = match (glyph.as_cluster(), glyph.as_char()) {
            (Some(id), _) => self.pool.cluster(id).to_owned(),
            (None, Some(first)) => first.to_string(),
            (None, None) => return Glyph::char(ch, width),
        };
        if text.len() + ch.len_utf8() > CLUSTER_BYTES_MAX {
            return glyph.with_width(width);
        }
        text.push(ch);
        match self.pool.intern_cluster(&text) {
            Some(id) => Glyph::cluster(id, width),
            None => glyph.with_width(width),
        }
    }

    /// The first half of a wide character whose second half is about to be overwritten.
    fn mend_left(&mut self, style: Style) {
        let buffer = self.buffer_mut();
        let x = buffer.x;
        if x > 0 && buffer.cursor_row().width_at(x - 1) == 2 {
            buffer.cursor_row().set(x - 1, Cell::empty(style));
        }
    }

    /// The second half of a wide character whose first half has been overwritten.
    fn mend_right(&mut self, style: Style) {
        let buffer = self.buffer_mut();
        let (x, cols) = (buffer.x, buffer.cols);
        if x < cols && buffer.cursor_row().get(x).is_orphan() {
            buffer.cursor_row().set(x, Cell::empty(style));
        }
    }

    /// REP: prints the character before the cursor again. More than a screen full changes
    /// nothing but the time it takes.
    pub(super) fn repeat(&mut self, count: usize) {
        let Some(before) = self.preceding else { return };
        let count = count.min(self.cols() * self.rows());
        let Some(x) = self.buffer().x.checked_sub(usize::from(before.width)) else {
            return;
        };
        let glyph = self.buffer_mut().cursor_row().get(x).glyph;
        let text = match (glyph.as_cluster(), glyph.as_char()) {
            (Some(id), _) => self.pool.cluster(id).to_owned(),
            (None, Some(ch)) => ch.to_string(),
            (None, None) => return,
        };
        if text.is_ascii() {
            self.write_ascii(text.repeat(count).as_bytes());
            return;
        }
        for ch in std::iter::repeat_n(text.as_str(), count).flat_map(str::chars) {
            match u8::try_from(ch) {
                Ok(byte) if byte.is_ascii() => self.write_ascii(&[byte]),
                _ => self.put(ch),
            }
        }
    }
}
