//! When to try again.

use std::time::Duration;

/// Exponential backoff with jitter: the first try at once, then after about 0.25 s, 0.5 s, 1 s …
/// and never later than 15 s.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(250);
    const LAST: Duration = Duration::from_secs(15);

    /// How long to wait before the next try. `random` is any number; it spreads the clients of a
    /// server that comes back over half of the time.
    pub fn next(&mut self, random: u32) -> Duration {
        let doublings = self.failures.checked_sub(1);
        self.failures = self.failures.saturating_add(1);
        let Some(doublings) = doublings else { return Duration::ZERO };
        let whole = Self::FIRST.saturating_mul(1 << doublings.min(10)).min(Self::LAST);
        let share = f64::from(random) / f64::from(u32::MAX);
        whole.mul_f64(0.5 + share / 2.0)
    }

    /// The server has answered: start again.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_a_limit_and_starts_again() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..9).map(|_| backoff.next(u32::MAX).as_millis()).collect();
        assert_eq!(waits, [0, 250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
        backoff.reset();
        assert_eq!(backoff.next(0), Duration::ZERO);
        assert_eq!(backoff.next(0), Duration::from_millis(125), "half of it at least");
    }

    #[test]
    fn never_overflows() {
        let mut backoff = Backoff { failures: u32::MAX };
        assert_eq!(backoff.next(u32::MAX), Duration::from_secs(15));
    }
}
