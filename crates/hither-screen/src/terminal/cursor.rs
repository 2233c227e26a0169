//! Moving the cursor, tab stops, the scroll region, saving and restoring.

use super::Terminal;
use crate::params::Params;

impl Terminal {
    pub(super) fn csi_cursor(&mut self, byte: u8, params: &Params) {
        let count = params.count(0);
        match byte {
            b'A' => self.cursor_up(count),
            b'B' => self.cursor_down(count),
            b'C' | b'a' => self.move_cursor(clamped(count), 0),
            b'D' => self.move_cursor(-clamped(count), 0),
            b'E' => {
                self.cursor_down(count);
                self.buffer_mut().x = 0;
            }
            b'F' => {
                self.cursor_up(count);
                self.buffer_mut().x = 0;
            }
            b'G' | b'`' => self.set_cursor_absolute(clamped(count) - 1, clamped(self.buffer().y)),
            b'H' | b'f' => self.set_cursor(params.count(1) - 1, count - 1),
            b'I' => self.tab_forward(count),
            b'Z' => self.tab_backward(count),
            b'd' => self.set_cursor(self.buffer().x, count - 1),
            b'e' => self.move_cursor(0, clamped(count)),
            b'g' => self.clear_tabs(params.value(0)),
            b'r' => self.set_region(params),
            b's' => self.save_cursor(),
            b'u' => self.restore_cursor(),
            _ => {}
        }
    }

    /// Brings the cursor back inside: columns up to `last`, rows of the screen or, in origin
    /// mode, of the scroll region.
    pub(super) fn restrict_cursor(&mut self, last: usize) {
        let origin = self.modes.origin;
        let buffer = self.buffer_mut();
        buffer.x = buffer.x.min(last);
        buffer.y = if origin {
            buffer.y.clamp(buffer.top, buffer.bottom)
        } else {
            buffer.y.min(buffer.rows - 1)
        };
    }

    /// Places the cursor, counted from the origin.
    pub(super) fn set_cursor(&mut self, x: usize, y: usize) {
        self.set_cursor_absolute(clamped(x), clamped(y));
    }

    /// The row is counted from the origin here, too: CHA in origin mode moves down, as on the
    /// page.
    fn set_cursor_absolute(&mut self, x: i32, y: i32) {
        let origin = self.modes.origin;
        let last = self.cols() - 1;
        let buffer = self.buffer_mut();
        let top = if origin { buffer.top } else { 0 };
        buffer.x = usize::try_from(x).unwrap_or(0);
        buffer.y = usize::try_from(y.saturating_add(clamped(top))).unwrap_or(0);
        self.restrict_cursor(last);
    }

    fn move_cursor(&mut self, dx: i32, dy: i32) {
        self.restrict_cursor(self.cols() - 1);
        let (x, y) = (clamped(self.buffer().x), clamped(self.buffer().y));
        self.set_cursor_absolute(x.saturating_add(dx), y.saturating_add(dy));
    }

    fn cursor_up(&mut self, count: usize) {
        let buffer = self.buffer();
        let room = buffer.y.checked_sub(buffer.top);
        let count = room.map_or(count, |room| room.min(count));
        self.move_cursor(0, -clamped(count));
    }

    fn cursor_down(&mut self, count: usize) {
        let buffer = self.buffer();
        let room = buffer.bottom.checked_sub(buffer.y);
        let count = room.map_or(count, |room| room.min(count));
        self.move_cursor(0, clamped(count));
    }

    pub(super) fn line_feed(&mut self) {
        let (bg, convert) = (self.bg(), self.modes.newline);
        let buffer = self.buffer_mut();
        if convert {
            buffer.x = 0;
        }
        if buffer.y == buffer.bottom {
            buffer.scroll(bg, false);
        } else if buffer.y + 1 < buffer.rows {
            buffer.y += 1;
            buffer.cursor_row().wrapped = false;
        }
        if buffer.x >= buffer.cols {
            buffer.x -= 1;
        }
    }

    pub(super) fn index(&mut self) {
        self.restrict_cursor(self.cols() - 1);
        let bg = self.bg();
        let buffer = self.buffer_mut();
        if buffer.y == buffer.bottom {
            buffer.scroll(bg, false);
        } else {
            buffer.y = (buffer.y + 1).min(buffer.rows - 1);
        }
        self.restrict_cursor(self.cols() - 1);
    }

    pub(super) fn next_line(&mut self) {
        self.buffer_mut().x = 0;
        self.index();
    }

    pub(super) fn reverse_index(&mut self) {
        self.restrict_cursor(self.cols() - 1);
        let bg = self.bg();
        let buffer = self.buffer_mut();
        if buffer.y == buffer.top {
            buffer.insert_rows(buffer.y, 1, bg);
        } else {
            buffer.y = buffer.y.saturating_sub(1);
            self.restrict_cursor(self.cols() - 1);
        }
    }

    pub(super) fn backspace(&mut self) {
        let last = self.cols() - 1;
        if !self.modes.reverse_wraparound {
            self.restrict_cursor(last);
            let buffer = self.buffer_mut();
            buffer.x = buffer.x.saturating_sub(1);
            return;
        }
        self.restrict_cursor(self.cols());
        let buffer = self.buffer_mut();
        if buffer.x > 0 {
            buffer.x -= 1;
        } else if buffer.y > buffer.top && buffer.y <= buffer.bottom && buffer.cursor_row().wrapped
        {
            buffer.cursor_row().wrapped = false;
            buffer.y -= 1;
            buffer.x = last;
            // The last cell is empty when a wide character wrapped early.
            let cell = buffer.cursor_row().get(last);
            if cell.width() > 0 && !cell.glyph.has_content() {
                buffer.x = last.saturating_sub(1);
            }
        }
        self.restrict_cursor(last);
    }

    pub(super) fn tab(&mut self) {
        self.tab_forward(1);
    }

    fn tab_forward(&mut self, count: usize) {
        let buffer = self.buffer_mut();
        if buffer.x < buffer.cols {
            for _ in 0..count.min(buffer.cols) {
                buffer.x = buffer.tabs.next(buffer.x, buffer.cols);
            }
        }
    }

    fn tab_backward(&mut self, count: usize) {
        let buffer = self.buffer_mut();
        if buffer.x < buffer.cols {
            for _ in 0..count.min(buffer.cols) {
                buffer.x = buffer.tabs.previous(buffer.x, buffer.cols);
            }
        }
    }

    pub(super) const fn set_tab(&mut self) {
        let buffer = self.buffer_mut();
        buffer.tabs.set(buffer.x);
    }

    const fn clear_tabs(&mut self, which: i32) {
        let buffer = self.buffer_mut();
        match which {
            0 => buffer.tabs.clear(buffer.x),
            3 => buffer.tabs.clear_all(),
            _ => {}
        }
    }

    fn set_region(&mut self, params: &Params) {
        let rows = self.rows();
        let top = params.count(0);
        let bottom = match usize::try_from(params.value(1)) {
            Ok(bottom) if bottom > 0 && bottom <= rows => bottom,
            _ => rows,
        };
        if bottom > top {
            let buffer = self.buffer_mut();
            (buffer.top, buffer.bottom) = (top - 1, bottom - 1);
            self.set_cursor(0, 0);
        }
    }

    pub(super) fn save_cursor(&mut self) {
        let (pen, charset) = (self.pen.save(), self.charsets.active);
        let buffer = self.buffer_mut();
        let line = buffer.base() + buffer.y;
        buffer.saved = crate::buffer::SavedCursor { x: buffer.x, line, pen, charset };
    }

    pub(super) fn restore_cursor(&mut self) {
        let buffer = self.buffer_mut();
        let saved = buffer.saved;
        buffer.x = saved.x;
        buffer.y = buffer.saved_row();
        self.pen.restore(saved.pen);
        self.charsets.active = saved.charset;
        self.restrict_cursor(self.cols() - 1);
    }
}

/// Counts of a sequence go up to 2^31 - 1, columns and rows are far below.
fn clamped(value: usize) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
