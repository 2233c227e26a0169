//! What happened to bytes that did not arrive as they should.

use std::ops::AddAssign;

/// Bytes (or keys, or lines) that did not arrive exactly once, in order and unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Never arrived.
    pub lost: u64,
    /// Arrived more than once.
    pub doubled: u64,
    /// Arrived once, but after something that should have come later.
    pub reordered: u64,
    /// Arrived changed, or was never sent.
    pub corrupted: u64,
}

impl Damage {
    /// Whether everything arrived exactly once, in order and unchanged.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// All kinds together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.lost + self.doubled + self.reordered + self.corrupted
    }
}

impl AddAssign for Damage {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.reordered += other.reordered;
        self.corrupted += other.corrupted;
    }
}
