//! Tab stops.

use hither_core::WindowSize;

/// Words of the set: one bit for each column a window can have, and one for "just past the end".
const WORDS: usize = (WindowSize::COLS_MAX as usize + 1).div_ceil(64);
/// A stop every eight columns, as terminals start.
const EVERY_EIGHTH: u64 = 0x0101_0101_0101_0101;
const STEP: usize = 8;

/// Columns at which a tab stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TabStops([u64; WORDS]);

impl TabStops {
    /// Stops at every eighth column of a window `cols` wide.
    pub(crate) fn every_eighth(cols: usize) -> Self {
        let mut stops = Self([EVERY_EIGHTH; WORDS]);
        for x in cols..WORDS * 64 {
            stops.clear(x);
        }
        stops
    }

    pub(crate) const fn contains(&self, x: usize) -> bool {
        x / 64 < WORDS && self.0[x / 64] & (1 << (x % 64)) != 0
    }

    pub(crate) const fn set(&mut self, x: usize) {
        if x / 64 < WORDS {
            self.0[x / 64] |= 1 << (x % 64);
        }
    }

    pub(crate) const fn clear(&mut self, x: usize) {
        if x / 64 < WORDS {
            self.0[x / 64] &= !(1 << (x % 64));
        }
    }

    pub(crate) const fn clear_all(&mut self) {
        self.0 = [0; WORDS];
    }

    /// The stop right of `x`, or the last column.
    pub(crate) fn next(&self, x: usize, cols: usize) -> usize {
        (x + 1..cols).find(|&x| self.contains(x)).unwrap_or(cols - 1)
    }

    /// The stop left of `x`, or the first column.
    pub(crate) fn previous(&self, x: usize, cols: usize) -> usize {
        (0..x).rev().find(|&x| self.contains(x)).unwrap_or(0).min(cols - 1)
    }

    /// Continues the pattern into the columns that a wider window has gained.
    pub(crate) fn extend(&mut self, cols: usize) {
        let from = if self.contains(cols) { cols } else { self.previous(cols, cols) };
        for x in (from..cols).step_by(STEP) {
            self.set(x);
        }
    }

    /// All stops of a window `cols` wide.
    pub(crate) fn iter(&self, cols: usize) -> impl Iterator<Item = usize> {
        (0..cols).filter(|&x| self.contains(x))
    }
}
