//! The window size of a session follows the viewer who typed last.

use std::time::Duration;

use crate::{ViewerId, WindowSize};

/// Decides the window size of a session from what its viewers want.
///
/// Changes are applied at most once in 16 ms, the last one always: a window that is being dragged
/// sends hundreds, and each costs the program a redraw.
#[derive(Clone, Debug)]
pub struct SizePolicy {
    applied: WindowSize,
    owner: ViewerId,
    wanted: Option<(WindowSize, ViewerId)>,
    next: Duration,
}

/// Least time between two changes of the size: one frame of a display.
pub const SIZE_INTERVAL: Duration = Duration::from_millis(16);

impl SizePolicy {
    /// The policy of a session that has `size` and no owner.
    #[must_use]
    pub const fn new(size: WindowSize) -> Self {
        Self { applied: size, owner: ViewerId::NOBODY, wanted: None, next: Duration::ZERO }
    }

    /// The size in force.
    #[must_use]
    pub const fn size(&self) -> WindowSize {
        self.applied
    }

    /// The viewer whose size is in force.
    #[must_use]
    pub const fn owner(&self) -> ViewerId {
        self.owner
    }

    /// A viewer's window has, or takes, this size: it typed, resized, or is the first to come.
    pub fn handle_claim(&mut self, viewer: ViewerId, size: WindowSize) {
        if self.wanted.is_none() && (size, viewer) == (self.applied, self.owner) {
            return;
        }
        self.wanted = Some((size, viewer));
    }

    /// A viewer left; its size stays until somebody else types.
    pub fn handle_detach(&mut self, viewer: ViewerId) {
        if self.owner == viewer {
            self.owner = ViewerId::NOBODY;
        }
        if let Some((size, owner)) = self.wanted
            && owner == viewer
        {
            self.wanted = Some((size, ViewerId::NOBODY));
        }
    }

    /// When [`Self::poll`] has something to do; `None`: nothing is pending.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        self.wanted.map(|_| self.next)
    }

    /// The change to apply now, if one is due: size and owner.
    pub fn poll(&mut self, now: Duration) -> Option<(WindowSize, ViewerId)> {
        if now < self.next {
            return None;
        }
        let (size, owner) = self.wanted.take()?;
        (self.applied, self.owner) = (size, owner);
        self.next = now + SIZE_INTERVAL;
        Some((size, owner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_is_coalesced_and_the_last_size_wins() {
        let mut policy = SizePolicy::new(WindowSize::DEFAULT);
        let mut applied = 0;
        let mut now = Duration::ZERO;
        for cols in 0..100_000_u32 {
            now = Duration::from_micros(u64::from(cols) * 100);
            policy.handle_claim(ViewerId(1), WindowSize::clamped(cols % 300, 24));
            applied += usize::from(policy.poll(now).is_some());
        }
        assert!(applied <= 626, "{applied} changes in 10 s");
        assert!(policy.deadline().is_some_and(|due| due <= now + SIZE_INTERVAL));
        policy.poll(now + SIZE_INTERVAL);
        assert_eq!(policy.size(), WindowSize::clamped(99_999 % 300, 24));
        assert_eq!(policy.deadline(), None);
    }

    #[test]
    fn what_is_in_force_changes_nothing() {
        let mut policy = SizePolicy::new(WindowSize::DEFAULT);
        policy.handle_claim(ViewerId(1), WindowSize::DEFAULT);
        assert_eq!(policy.poll(Duration::ZERO), Some((WindowSize::DEFAULT, ViewerId(1))));
        policy.handle_claim(ViewerId(1), WindowSize::DEFAULT);
        assert_eq!(policy.deadline(), None);
    }

    #[test]
    fn who_leaves_owns_nothing() {
        let mut policy = SizePolicy::new(WindowSize::DEFAULT);
        policy.handle_claim(ViewerId(1), WindowSize::clamped(100, 30));
        policy.handle_detach(ViewerId(1));
        let applied = policy.poll(Duration::ZERO);
        assert_eq!(applied, Some((WindowSize::clamped(100, 30), ViewerId::NOBODY)));
    }
}
