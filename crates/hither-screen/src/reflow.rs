//! Resizing, with wrapped lines laid out anew.
//!
//! The page reflows by itself when its window changes; the server's screen has to come to the
//! same lines, so it follows the same steps: rows first, then columns; the line with the cursor is
//! left to the program.

use std::collections::VecDeque;

use crate::buffer::Buffer;
use crate::cell::Cell;
use crate::row::{Erase, Protection, Row};

impl Buffer {
    /// Resizes without reflow: the alternate buffer, whose program draws it again.
    pub(crate) fn resize(&mut self, cols: usize, rows: usize) {
        let base = self.resize_rows(cols, rows);
        self.finish(cols, rows, base);
    }

    /// Resizes and lays out the wrapped lines anew.
    pub(crate) fn resize_with_reflow(&mut self, cols: usize, rows: usize) {
        let base = self.resize_rows(cols, rows);
        let base = match cols.cmp(&self.cols) {
            std::cmp::Ordering::Equal => base,
            std::cmp::Ordering::Greater => self.reflow_larger(cols, rows, base),
            std::cmp::Ordering::Less => self.reflow_smaller(cols, rows, base),
        };
        self.finish(cols, rows, base);
    }

    /// Adds or removes rows, taking them from the scrollback or giving them to it when the cursor
    /// is at the end. Returns where the screen starts now.
    fn resize_rows(&mut self, cols: usize, rows: usize) -> usize {
        let mut base = self.base();
        let mut gained = 0;
        for _ in self.rows..rows {
            if self.lines.len() >= rows + base {
                continue;
            }
            if base > 0 && self.lines.len() <= base + self.y + gained + 1 {
                base -= 1;
                gained += 1;
            } else {
                self.lines.push_back(Row::default());
            }
        }
        for _ in rows..self.rows {
            if self.lines.len() <= rows + base {
                continue;
            }
            if self.lines.len() > base + self.y + 1 {
                self.lines.pop_back();
            } else {
                base += 1;
            }
        }
        if rows < self.rows {
            let excess = self.lines.len().saturating_sub(rows + self.scrollback_max);
            self.lines.drain(..excess);
            base = base.saturating_sub(excess);
            self.saved.line = self.saved.line.saturating_sub(excess);
        }
        self.x = self.x.min(cols - 1);
        self.y = self.y.min(rows - 1) + gained;
        self.saved.x = self.saved.x.min(cols - 1);
        base
    }

    fn finish(&mut self, cols: usize, rows: usize, base: usize) {
        while self.lines.len() < base + rows {
            self.lines.push_back(Row::default());
        }
        self.lines.truncate(base + rows);
        let excess = base.saturating_sub(self.scrollback_max);
        self.lines.drain(..excess);
        for row in &mut self.lines {
            row.truncate(cols);
        }
        (self.cols, self.rows) = (cols, rows);
        (self.top, self.bottom) = (0, rows - 1);
        (self.x, self.y) = (self.x.min(cols - 1), self.y.min(rows - 1));
        self.tabs.extend(cols);
    }

    fn reflow_larger(&mut self, cols: usize, rows: usize, base: usize) -> usize {
        let removed = self.join_wrapped(cols, base + self.y);
        let mut base = base;
        for _ in 0..removed {
            if base > 0 {
                base -= 1;
                continue;
            }
            self.y = self.y.saturating_sub(1);
            if self.lines.len() < rows {
                self.lines.push_back(Row::default());
            }
        }
        self.saved.line = self.saved.line.saturating_sub(removed);
        base
    }

    /// Fills wrapped lines up to the new width; returns how many rows became superfluous.
    fn join_wrapped(&mut self, cols: usize, cursor_line: usize) -> usize {
        let mut kept = VecDeque::with_capacity(self.lines.len());
        let mut removed = 0;
        let mut at = 0;
        while at < self.lines.len() {
            let count = self.wrapped_count(at);
            let group = at..at + count;
            let drop = if count == 1 || group.contains(&cursor_line) {
                0
            } else {
                fill_group(self.lines.make_contiguous(), group.clone(), (self.cols, cols))
            };
            kept.extend(self.lines.range_mut(at..at + count - drop).map(std::mem::take));
            removed += drop;
            at += count;
        }
        self.lines = kept;
        removed
    }

    /// How many rows the line takes that starts at `at`.
    fn wrapped_count(&self, at: usize) -> usize {
        1 + self.lines.range(at + 1..).take_while(|row| row.wrapped).count()
    }

    fn reflow_smaller(&mut self, cols: usize, rows: usize, base: usize) -> usize {
        let lines_max = rows + self.scrollback_max;
        let mut view = Smaller {
            cols,
            rows,
            base,
            lines_max,
            kept: self.lines.len(),
            insertions: Vec::new(),
            inserted: 0,
        };
        let mut end = self.lines.len();
        while end > 0 {
            let start = self.group_start(end - 1);
            self.split_group(start..end, &mut view);
            end = start;
        }
        let base = view.base;
        self.apply_insertions(view);
        base
    }

    fn group_start(&self, mut at: usize) -> usize {
        while at > 0 && self.lines[at].wrapped {
            at -= 1;
        }
        at
    }

    /// Breaks one line into rows of the new width.
    fn split_group(&mut self, group: std::ops::Range<usize>, view: &mut Smaller) {
        let last = self.lines[group.end - 1].content_len();
        let single = group.len() == 1 && !self.lines[group.start].wrapped;
        if (single && last <= view.cols) || group.contains(&(view.base + self.y)) {
            return;
        }
        let rows: Vec<Row> = group.clone().map(|at| std::mem::take(&mut self.lines[at])).collect();
        let (mut laid_out, added) = lay_out(rows, self.cols, view.cols);
        let new_rows = laid_out.split_off(group.len());
        for (at, row) in group.clone().zip(laid_out) {
            self.lines[at] = row;
        }
        let count = if view.base == 0 && self.y + 1 != view.kept { self.y } else { view.kept };
        let trimmed = (count + added).saturating_sub(view.lines_max);
        view.insertions.push((group.end, new_rows));
        view.inserted += added;
        for _ in trimmed..added {
            self.shift_view(view);
        }
        self.saved.line = (self.saved.line + added).min(view.base + view.rows - 1);
    }

    /// Makes room for one more row above the cursor.
    fn shift_view(&mut self, view: &mut Smaller) {
        if view.base > 0 {
            let most = view.lines_max.min(view.kept + view.inserted);
            if view.base < most.saturating_sub(view.rows) {
                view.base += 1;
            }
        } else if self.y + 1 < view.rows {
            self.y += 1;
            view.kept = view.kept.saturating_sub(1);
        } else {
            view.base += 1;
        }
    }

    /// Puts the new rows behind the lines they belong to; the oldest lines make room.
    fn apply_insertions(&mut self, view: Smaller) {
        let mut lines: Vec<Row> = std::mem::take(&mut self.lines).into();
        lines.truncate(view.kept);
        // The last line comes first, so that the places of the others stay right.
        for (at, rows) in view.insertions {
            let at = at.min(view.kept);
            lines.splice(at..at, rows);
        }
        let excess = lines.len().saturating_sub(view.lines_max);
        lines.drain(..excess);
        self.lines = lines.into();
    }
}

/// Where the screen is while lines become more.
#[derive(Debug)]
struct Smaller {
    cols: usize,
    rows: usize,
    base: usize,
    lines_max: usize,
    /// How many of the old lines stay: those at the end make room for new rows above the cursor.
    /// They are laid out nevertheless, and what they gain comes after the last line, as on the
    /// page.
    kept: usize,
    /// Rows to insert at an index of the old lines, last line first.
    insertions: Vec<(usize, Vec<Row>)>,
    inserted: usize,
}

/// Columns of row `at` of a line that belong to its text.
fn filled_len(rows: &[Row], at: usize, cols: usize) -> usize {
    let Some(next) = rows.get(at + 1) else {
        return rows[at].content_len();
    };
    let last = rows[at].get(cols - 1);
    // A wide character that did not fit left one cell empty.
    let early = !last.glyph.has_content() && last.width() == 1 && next.width_at(0) == 2;
    if early { cols - 1 } else { cols }
}

/// Moves the text of a wrapped line up into wider rows; returns how many rows are left over.
fn fill_group(
    lines: &mut [Row],
    group: std::ops::Range<usize>,
    (old, new): (usize, usize),
) -> usize {
    let rows = &mut lines[group];
    let (mut to, mut to_col) = (0, filled_len(rows, 0, old));
    let (mut from, mut from_col) = (1, 0);
    while from < rows.len() {
        let len = filled_len(rows, from, old);
        let count = len.saturating_sub(from_col).min(new - to_col);
        let cells = rows[from].slice(from_col, from_col + count);
        rows[to].copy_from(&cells, to_col);
        to_col += count;
        from_col += count;
        if to_col == new {
            (to, to_col) = (to + 1, 0);
        }
        if from_col >= len {
            (from, from_col) = (from + 1, 0);
        }
        if to_col == 0 && to > 0 && rows[to - 1].width_at(new - 1) == 2 {
            let wide = rows[to - 1].get(new - 1);
            rows[to].set(0, wide);
            rows[to - 1].set(new - 1, Cell::BLANK);
            to_col = 1;
        }
    }
    let erase = Erase { fill: Cell::BLANK, cols: new, protection: Protection::Ignored };
    rows[to].erase(to_col..new, erase);
    let used = |at: usize| at <= to && rows[at].content_len() > 0;
    (1..rows.len()).rev().take_while(|&at| !used(at)).count()
}

/// Lays the rows of one line out in `new` columns: at least as many rows, and how many more.
fn lay_out(mut rows: Vec<Row>, old: usize, new: usize) -> (Vec<Row>, usize) {
    let lengths = new_lengths(&rows, old, new);
    let Some(added) = lengths.len().checked_sub(rows.len()) else {
        return (rows, 0);
    };
    let text: Vec<Cell> =
        (0..rows.len()).flat_map(|at| rows[at].slice(0, filled_len(&rows, at, old))).collect();
    rows.extend((0..added).map(|_| Row::continuation()));
    let mut from = 0;
    for (row, &len) in rows.iter_mut().zip(&lengths) {
        let to = (from + len).min(text.len());
        row.copy_from(&text[from..to], 0);
        if len < new {
            row.set(len, Cell::BLANK);
        }
        from = to;
    }
    (rows, added)
}

/// How many columns of each new row are filled: all but the last when a wide character would be
/// cut.
fn new_lengths(rows: &[Row], old: usize, new: usize) -> Vec<usize> {
    let needed: usize = (0..rows.len()).map(|at| filled_len(rows, at, old)).sum();
    let (mut lengths, mut available) = (Vec::new(), 0);
    let (mut col, mut at) = (0, 0);
    while available < needed {
        if needed - available < new {
            lengths.push(needed - available);
            break;
        }
        col += new;
        let len = filled_len(rows, at, old);
        if col > len && at + 1 < rows.len() {
            col -= len;
            at += 1;
        }
        let cut = col > 0 && rows[at].width_at(col - 1) == 2;
        col -= usize::from(cut);
        let len = new - usize::from(cut);
        lengths.push(len);
        available += len;
    }
    lengths
}
