//! One of the two buffers: its lines, cursor, scroll region, tab stops and saved cursor.

use std::collections::VecDeque;

use crate::cell::{Cell, Color, Style};
use crate::charset::Charset;
use crate::pen::SavedPen;
use crate::row::{Erase, Protection, Row};
use crate::tabs::TabStops;

/// What DECSC keeps.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SavedCursor {
    pub(crate) x: usize,
    /// Counted from the oldest line of the scrollback, as the page's terminal does: when the
    /// screen scrolls, the saved place goes up with its text as long as the scrollback grows.
    pub(crate) line: usize,
    pub(crate) pen: SavedPen,
    pub(crate) charset: Charset,
}

/// Lines of the screen and, in the normal buffer, of the scrollback above it.
#[derive(Clone, Debug)]
pub(crate) struct Buffer {
    /// Scrollback first, then `rows` lines of screen.
    pub(crate) lines: VecDeque<Row>,
    pub(crate) cols: usize,
    pub(crate) rows: usize,
    /// Most lines of scrollback; 0 in the alternate buffer.
    pub(crate) scrollback_max: usize,
    /// Column of the cursor; equal to `cols` when the line is full and the next character wraps.
    pub(crate) x: usize,
    /// Row of the cursor on the screen.
    pub(crate) y: usize,
    /// First row of the scroll region.
    pub(crate) top: usize,
    /// Last row of the scroll region.
    pub(crate) bottom: usize,
    pub(crate) tabs: TabStops,
    pub(crate) saved: SavedCursor,
}

impl Buffer {
    pub(crate) fn new(cols: usize, rows: usize, scrollback_max: usize) -> Self {
        Self {
            lines: (0..rows).map(|_| Row::default()).collect(),
            cols,
            rows,
            scrollback_max,
            x: 0,
            y: 0,
            top: 0,
            bottom: rows - 1,
            tabs: TabStops::every_eighth(cols),
            saved: SavedCursor::default(),
        }
    }

    /// A copy with at most so many lines of scrollback, the newest ones.
    pub(crate) fn cropped(&self, scrollback_lines_max: usize) -> Self {
        let left_out = self.base().saturating_sub(scrollback_lines_max);
        let saved = SavedCursor { line: self.saved.line.saturating_sub(left_out), ..self.saved };
        Self {
            lines: self.lines.iter().skip(left_out).cloned().collect(),
            cols: self.cols,
            rows: self.rows,
            scrollback_max: self.scrollback_max,
            x: self.x,
            y: self.y,
            top: self.top,
            bottom: self.bottom,
            tabs: self.tabs,
            saved,
        }
    }

    /// Index of the first line of the screen: the number of lines of scrollback.
    pub(crate) fn base(&self) -> usize {
        self.lines.len() - self.rows
    }

    pub(crate) fn row(&self, y: usize) -> &Row {
        &self.lines[self.base() + y]
    }

    pub(crate) fn row_mut(&mut self, y: usize) -> &mut Row {
        let at = self.base() + y;
        &mut self.lines[at]
    }

    pub(crate) fn cursor_row(&mut self) -> &mut Row {
        self.row_mut(self.y)
    }

    /// Row of the saved cursor as DECRC would find it now.
    pub(crate) fn saved_row(&self) -> usize {
        self.saved.line.saturating_sub(self.base())
    }

    /// Blanks every line of a buffer without scrollback.
    pub(crate) fn clear_text(&mut self, bg: Color) {
        let fill = Cell::empty(Style::erased(bg));
        for row in &mut self.lines {
            row.reset(self.cols, fill, false);
        }
    }

    /// Clears text, cursor, region and tab stops, as leaving the alternate buffer does.
    pub(crate) fn clear(&mut self) {
        self.clear_text(Color::Default);
        (self.x, self.y) = (0, 0);
        (self.top, self.bottom) = (0, self.rows - 1);
        self.tabs = TabStops::every_eighth(self.cols);
    }

    /// Moves the scroll region up by one line; the top line of a region that starts at the top of
    /// the screen becomes scrollback.
    pub(crate) fn scroll(&mut self, bg: Color, wrapped: bool) {
        let fill = Cell::empty(Style::erased(bg));
        let base = self.base();
        if self.top > 0 {
            self.shift_up(base + self.top, base + self.bottom, fill);
            self.lines[base + self.bottom].wrapped = wrapped;
            return;
        }
        let full = base >= self.scrollback_max;
        let mut row =
            if full { self.lines.pop_front().unwrap_or_default() } else { Row::default() };
        row.reset(self.cols, fill, wrapped);
        let at = base + self.bottom + 1 - usize::from(full);
        self.lines.insert(at, row);
    }

    fn shift_up(&mut self, top: usize, bottom: usize, fill: Cell) {
        if let Some(mut row) = self.lines.remove(top) {
            row.reset(self.cols, fill, false);
            self.lines.insert(bottom, row);
        }
    }

    fn shift_down(&mut self, top: usize, bottom: usize, fill: Cell) {
        if let Some(mut row) = self.lines.remove(bottom) {
            row.reset(self.cols, fill, false);
            self.lines.insert(top, row);
        }
    }

    /// Removes `count` rows at `y` and adds blank ones at the end of the region (DL, SU).
    pub(crate) fn delete_rows(&mut self, y: usize, count: usize, bg: Color) {
        let (base, fill) = (self.base(), Cell::empty(Style::erased(bg)));
        for _ in 0..count.min(self.bottom + 1 - y) {
            self.shift_up(base + y, base + self.bottom, fill);
        }
    }

    /// Inserts `count` blank rows at `y`; as many fall off the end of the region (IL, SD, RI).
    pub(crate) fn insert_rows(&mut self, y: usize, count: usize, bg: Color) {
        let (base, fill) = (self.base(), Cell::empty(Style::erased(bg)));
        for _ in 0..count.min(self.bottom + 1 - y) {
            self.shift_down(base + y, base + self.bottom, fill);
        }
    }

    /// Erases cells of a row in the background `bg`.
    pub(crate) fn erase(
        &mut self,
        y: usize,
        span: std::ops::Range<usize>,
        how: (Color, Protection),
    ) {
        let fill = Cell::empty(Style::erased(how.0));
        let erase = Erase { fill, cols: self.cols, protection: how.1 };
        self.row_mut(y).erase(span, erase);
    }

    /// Erases a whole row, which no longer continues the one above.
    pub(crate) fn erase_row(&mut self, y: usize, how: (Color, Protection)) {
        self.erase(y, 0..self.cols, how);
        self.row_mut(y).wrapped = false;
    }

    /// Forgets the scrollback (ED 3).
    pub(crate) fn clear_scrollback(&mut self) {
        let base = self.base();
        self.lines.drain(..base);
    }
}
