//! What the line discipline does with input.

/// The flags of termios that a predicting client has to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TermiosFlags(u8);

impl TermiosFlags {
    /// Input is echoed.
    pub const ECHO: Self = Self(1);
    /// Input is edited and delivered by lines.
    pub const ICANON: Self = Self(2);

    /// The flags in a byte; bits without a meaning are dropped.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & (Self::ECHO.0 | Self::ICANON.0))
    }

    /// The byte on the wire.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// These flags and those.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of those flags are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
