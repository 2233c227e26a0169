//! Positions in a session's output.

use std::fmt;

/// Absolute position in the output of a session: the number of bytes that came before it.
///
/// Offset 0 is the first byte the session ever wrote. Offsets never wrap and stay below 2^53 on
/// the wire, which is 285 years of output at 1 MB/s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub u64);

impl Offset {
    /// The birth of the session.
    pub const ZERO: Self = Self(0);

    /// The offset `len` bytes further on.
    #[must_use]
    pub const fn plus(self, len: u64) -> Self {
        Self(self.0 + len)
    }

    /// How many bytes lie between `earlier` and `self`; zero when `earlier` is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
