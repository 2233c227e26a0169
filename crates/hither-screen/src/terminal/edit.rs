//! Erasing, inserting, deleting, scrolling.

use super::Terminal;
use crate::cell::{Cell, Style};
use crate::params::Params;
use crate::row::Protection;

impl Terminal {
    pub(super) fn csi_edit(&mut self, byte: u8, params: &Params) {
        let count = params.count(0);
        match byte {
            b'@' => self.insert_chars(count),
            b'J' => self.erase_in_display(params.value(0), Protection::Ignored),
            b'K' => self.erase_in_line(params.value(0), Protection::Ignored),
            b'L' => self.insert_or_delete_lines(count, true),
            b'M' => self.insert_or_delete_lines(count, false),
            b'P' => self.delete_chars(count),
            b'S' => {
                let bg = self.bg();
                let buffer = self.buffer_mut();
                buffer.delete_rows(buffer.top, count, bg);
            }
            b'T' => {
                let buffer = self.buffer_mut();
                buffer.insert_rows(buffer.top, count, crate::cell::Color::Default);
            }
            b'X' => self.erase_chars(count),
            _ => {}
        }
    }

    fn fill(&self) -> Cell {
        Cell::empty(Style::erased(self.bg()))
    }

    fn insert_chars(&mut self, count: usize) {
        self.restrict_cursor(self.cols() - 1);
        let (fill, cols, x) = (self.fill(), self.cols(), self.buffer().x);
        self.buffer_mut().cursor_row().insert(x, count, fill, cols);
    }

    fn delete_chars(&mut self, count: usize) {
        self.restrict_cursor(self.cols() - 1);
        let (fill, cols, x) = (self.fill(), self.cols(), self.buffer().x);
        self.buffer_mut().cursor_row().delete(x, count, fill, cols);
    }

    fn erase_chars(&mut self, count: usize) {
        self.restrict_cursor(self.cols() - 1);
        let how = (self.bg(), Protection::Ignored);
        let buffer = self.buffer_mut();
        let (x, y) = (buffer.x, buffer.y);
        buffer.erase(y, x..x.saturating_add(count), how);
    }

    pub(super) fn erase_in_line(&mut self, which: i32, protection: Protection) {
        self.restrict_cursor(self.cols());
        let how = (self.bg(), protection);
        let buffer = self.buffer_mut();
        let (x, y, cols) = (buffer.x, buffer.y, buffer.cols);
        match which {
            0 => {
                buffer.erase(y, x..cols, how);
                if x == 0 {
                    buffer.cursor_row().wrapped = false;
                }
            }
            1 => buffer.erase(y, 0..x + 1, how),
            2 => buffer.erase_row(y, how),
            _ => {}
        }
    }

    pub(super) fn erase_in_display(&mut self, which: i32, protection: Protection) {
        self.restrict_cursor(self.cols());
        let how = (self.bg(), protection);
        match which {
            0 => {
                self.erase_in_line(0, protection);
                let buffer = self.buffer_mut();
                for y in buffer.y + 1..buffer.rows {
                    buffer.erase_row(y, how);
                }
            }
            1 => self.erase_above(how),
            2 => {
                let buffer = self.buffer_mut();
                for y in 0..buffer.rows {
                    buffer.erase_row(y, how);
                }
            }
            3 => self.buffer_mut().clear_scrollback(),
            _ => {}
        }
    }

    /// ED 1: everything up to and with the cursor.
    fn erase_above(&mut self, how: (crate::cell::Color, Protection)) {
        let buffer = self.buffer_mut();
        let (x, y) = (buffer.x, buffer.y);
        buffer.erase(y, 0..x + 1, how);
        buffer.cursor_row().wrapped = false;
        // The page's terminal looks for the next row in the scrollback, if there is any.
        if x + 1 >= buffer.cols && y + 1 < buffer.rows && buffer.base() == 0 {
            buffer.row_mut(y + 1).wrapped = false;
        }
        for y in 0..y {
            buffer.erase_row(y, how);
        }
    }

    fn insert_or_delete_lines(&mut self, count: usize, insert: bool) {
        self.restrict_cursor(self.cols() - 1);
        let bg = self.bg();
        let buffer = self.buffer_mut();
        if buffer.y < buffer.top || buffer.y > buffer.bottom {
            return;
        }
        if insert {
            buffer.insert_rows(buffer.y, count, bg);
        } else {
            buffer.delete_rows(buffer.y, count, bg);
        }
        buffer.x = 0;
    }

    /// SL.
    pub(super) fn scroll_left(&mut self, count: usize) {
        self.each_row_of_region(|row, fill, cols| row.delete(0, count, fill, cols));
    }

    /// SR.
    pub(super) fn scroll_right(&mut self, count: usize) {
        self.each_row_of_region(|row, fill, cols| row.insert(0, count, fill, cols));
    }

    /// DECIC.
    pub(super) fn insert_columns(&mut self, count: usize) {
        let x = self.buffer().x;
        self.each_row_of_region(|row, fill, cols| row.insert(x, count, fill, cols));
    }

    /// DECDC.
    pub(super) fn delete_columns(&mut self, count: usize) {
        let x = self.buffer().x;
        self.each_row_of_region(|row, fill, cols| row.delete(x, count, fill, cols));
    }

    /// Changes the rows of the scroll region, if the cursor is in it; none continues another then.
    fn each_row_of_region(&mut self, change: impl Fn(&mut crate::row::Row, Cell, usize)) {
        let (fill, cols) = (self.fill(), self.cols());
        let buffer = self.buffer_mut();
        if buffer.y < buffer.top || buffer.y > buffer.bottom {
            return;
        }
        for y in buffer.top..=buffer.bottom {
            let row = buffer.row_mut(y);
            change(row, fill, cols);
            row.wrapped = false;
        }
    }
}
