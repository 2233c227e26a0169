//! One line of cells.
//!
//! Cells beyond the stored ones are [`Cell::BLANK`]: an empty line costs nothing. The rules for
//! wide characters that are cut in half are those of the page's terminal: the half that is left
//! becomes an empty cell in the style of whatever did the cutting.

use crate::cell::{Attributes, Cell, Glyph, Style};

/// A line of the grid or of the scrollback.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    cells: Vec<Cell>,
    /// Whether the line continues the one above it, because that one was full.
    pub(crate) wrapped: bool,
}

/// What an erase leaves alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    /// Everything is erased.
    Ignored,
    /// Cells with [`Attributes::PROTECTED`] stay (DECSEL, DECSED).
    Respected,
}

impl Row {
    /// An empty row that continues the one above.
    pub(crate) const fn continuation() -> Self {
        Self { cells: Vec::new(), wrapped: true }
    }

    /// Makes it a blank row again, keeping the allocation.
    pub(crate) fn reset(&mut self, cols: usize, fill: Cell, wrapped: bool) {
        self.cells.clear();
        self.wrapped = wrapped;
        if fill != Cell::BLANK {
            self.cells.resize(cols, fill);
        }
    }

    pub(crate) fn get(&self, x: usize) -> Cell {
        self.cells.get(x).copied().unwrap_or(Cell::BLANK)
    }

    pub(crate) fn width_at(&self, x: usize) -> u8 {
        self.get(x).width()
    }

    /// The cells that are stored; all others are blank.
    pub(crate) fn stored(&self) -> &[Cell] {
        &self.cells
    }

    pub(crate) fn stored_mut(&mut self) -> &mut [Cell] {
        &mut self.cells
    }

    pub(crate) fn set(&mut self, x: usize, cell: Cell) {
        if let Some(slot) = self.cells.get_mut(x) {
            *slot = cell;
        } else if cell != Cell::BLANK {
            self.cells.resize(x, Cell::BLANK);
            self.cells.push(cell);
        }
    }

    /// Writes printable ASCII from `x` on, one cell each.
    pub(crate) fn write_ascii(&mut self, x: usize, text: &[u8], style: Style) {
        if self.cells.len() < x {
            self.cells.resize(x, Cell::BLANK);
        }
        let over = text.len().min(self.cells.len() - x);
        let (inside, beyond) = text.split_at(over);
        for (slot, &byte) in self.cells[x..].iter_mut().zip(inside) {
            *slot = Cell { glyph: Glyph::ascii(byte), style };
        }
        self.cells.extend(beyond.iter().map(|&byte| Cell { glyph: Glyph::ascii(byte), style }));
    }

    /// Columns up to and with the last character.
    pub(crate) fn content_len(&self) -> usize {
        self.cells
            .iter()
            .rposition(|cell| cell.glyph.has_content())
            .map_or(0, |at| at + usize::from(self.cells[at].width()))
    }

    /// Columns up to and with the last cell that differs from a fresh one.
    pub(crate) fn used_len(&self) -> usize {
        self.cells.iter().rposition(|&cell| cell != Cell::BLANK).map_or(0, |at| at + 1)
    }

    /// Shifts the cells from `at` on to the right by `count` (ICH, DECIC, insert mode).
    pub(crate) fn insert(&mut self, at: usize, count: usize, fill: Cell, cols: usize) {
        let at = at % cols;
        let torn = Cell::empty(fill.style);
        if at > 0 && self.width_at(at - 1) == 2 {
            self.set(at - 1, torn);
            self.set(at, torn);
        }
        let count = count.min(cols - at);
        self.cells.resize(cols, Cell::BLANK);
        self.cells.copy_within(at..cols - count, at + count);
        self.cells[at..at + count].fill(fill);
        if self.width_at(cols - 1) == 2 {
            self.set(cols - 1, torn);
        }
        self.trim();
    }

    /// Shifts the cells right of `at + count` to the left (DCH, DECDC).
    pub(crate) fn delete(&mut self, at: usize, count: usize, fill: Cell, cols: usize) {
        let at = at % cols;
        let count = count.min(cols - at);
        self.cells.resize(cols, Cell::BLANK);
        self.cells.copy_within(at + count..cols, at);
        self.cells[cols - count..].fill(fill);
        let torn = Cell::empty(fill.style);
        if at > 0 && self.width_at(at - 1) == 2 {
            self.set(at - 1, torn);
        }
        if self.get(at).is_orphan() {
            self.set(at, torn);
        }
        self.trim();
    }

    /// Replaces the cells `from..to` by `fill` (ECH, EL, DECSEL).
    pub(crate) fn erase(&mut self, span: std::ops::Range<usize>, erase: Erase) {
        let Erase { fill, cols, protection } = erase;
        let (from, to) = (span.start, span.end.min(cols));
        let kept = |cell: Cell| {
            protection == Protection::Respected
                && cell.style.attributes.contains(Attributes::PROTECTED)
        };
        let torn = Cell::empty(fill.style);
        if from > 0 && self.width_at(from - 1) == 2 && !kept(self.get(from - 1)) {
            self.set(from - 1, torn);
        }
        if to > 0 && to < cols && self.width_at(to - 1) == 2 && !kept(self.get(to)) {
            self.set(to, torn);
        }
        if protection == Protection::Ignored && fill == Cell::BLANK && to >= self.cells.len() {
            self.cells.truncate(from);
            return;
        }
        for x in from..to {
            if !kept(self.get(x)) {
                self.set(x, fill);
            }
        }
    }

    /// Copies `len` cells of `source`, whole rows apart from each other.
    pub(crate) fn copy_from(&mut self, source: &[Cell], at: usize) {
        for (offset, &cell) in source.iter().enumerate() {
            self.set(at + offset, cell);
        }
    }

    /// The cells `from..to`, blank ones included.
    pub(crate) fn slice(&self, from: usize, to: usize) -> Vec<Cell> {
        (from..to).map(|x| self.get(x)).collect()
    }

    /// Cuts everything right of `cols`; a wide character that loses its second half goes, too.
    pub(crate) fn truncate(&mut self, cols: usize) {
        self.cells.truncate(cols);
        if self.width_at(cols - 1) == 2 {
            let style = self.get(cols - 1).style;
            self.set(cols - 1, Cell::empty(style));
        }
    }

    fn trim(&mut self) {
        let used = self.used_len();
        self.cells.truncate(used);
    }
}

/// How cells are erased.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Erase {
    pub(crate) fill: Cell,
    pub(crate) cols: usize,
    pub(crate) protection: Protection,
}
