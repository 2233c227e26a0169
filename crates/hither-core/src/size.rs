//! Window sizes.

use std::fmt;

/// Number of character cells of a terminal window, columns first as in `80 × 24`.
///
/// Columns are 2 to 1,000 (a wide character needs two), rows 1 to 500: more would let one frame
/// ask for a screen of gigabytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WindowSize {
    cols: u16,
    rows: u16,
}

/// A window size outside the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidWindowSize {
    /// Columns that were asked for.
    pub cols: u32,
    /// Rows that were asked for.
    pub rows: u32,
}

impl WindowSize {
    /// Most columns.
    pub const COLS_MAX: u16 = 1000;
    /// Most rows.
    pub const ROWS_MAX: u16 = 500;
    /// Fewest columns.
    pub const COLS_MIN: u16 = 2;
    /// Fewest rows.
    pub const ROWS_MIN: u16 = 1;
    /// The size of a session that nobody has sized: that of a VT100.
    pub const DEFAULT: Self = Self { cols: 80, rows: 24 };

    /// A size within the limits.
    ///
    /// # Errors
    /// When either side is outside them.
    pub fn new(cols: u32, rows: u32) -> Result<Self, InvalidWindowSize> {
        let size = Self::clamped(cols, rows);
        if u32::from(size.cols) == cols && u32::from(size.rows) == rows {
            Ok(size)
        } else {
            Err(InvalidWindowSize { cols, rows })
        }
    }

    /// The nearest size within the limits.
    #[must_use]
    pub fn clamped(cols: u32, rows: u32) -> Self {
        let clamp =
            |value: u32, min: u16, max: u16| u16::try_from(value).unwrap_or(max).clamp(min, max);
        Self {
            cols: clamp(cols, Self::COLS_MIN, Self::COLS_MAX),
            rows: clamp(rows, Self::ROWS_MIN, Self::ROWS_MAX),
        }
    }

    /// Columns.
    #[must_use]
    pub const fn cols(self) -> u16 {
        self.cols
    }

    /// Rows.
    #[must_use]
    pub const fn rows(self) -> u16 {
        self.rows
    }
}

impl fmt::Display for WindowSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.cols, self.rows)
    }
}

impl fmt::Display for InvalidWindowSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "window size {}x{} is outside 2x1 to 1000x500", self.cols, self.rows)
    }
}

impl std::error::Error for InvalidWindowSize {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clamps_to_the_limits() {
        for (cols, rows, expect) in [
            (0, 0, "2x1"),
            (1, 1, "2x1"),
            (80, 24, "80x24"),
            (1000, 500, "1000x500"),
            (65_535, 65_535, "1000x500"),
            (u32::MAX, u32::MAX, "1000x500"),
        ] {
            assert_eq!(WindowSize::clamped(cols, rows).to_string(), expect);
        }
    }

    #[test]
    fn refuses_what_it_would_have_to_change() {
        assert!(WindowSize::new(80, 24).is_ok());
        let err = WindowSize::new(0, 24).unwrap_err();
        assert_eq!(err.to_string(), "window size 0x24 is outside 2x1 to 1000x500");
    }
}
