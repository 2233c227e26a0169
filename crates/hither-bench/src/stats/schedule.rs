//! When an open-loop load sends what.

use std::time::Duration;

use super::{Moment, count, float, nanos};

/// A fixed timetable: key `k` is due at `start + k · period`, on connection `k mod connections`.
///
/// The timetable does not look at answers. A server that stalls finds the keys of the stall waiting
/// for it, each with the age it has for the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenLoop {
    start: Moment,
    period_nanos: f64,
    connections: u64,
    keys: u64,
}

impl OpenLoop {
    /// The timetable of `connections` (at least one) typing `keys_per_second` each for `length`.
    #[must_use]
    pub fn new(start: Moment, connections: u64, keys_per_second: f64, length: Duration) -> Self {
        let rate = float(connections.max(1)) * keys_per_second.max(f64::MIN_POSITIVE);
        Self {
            start,
            period_nanos: 1e9 / rate,
            connections: connections.max(1),
            keys: count(length.as_secs_f64() * rate),
        }
    }

    /// When key `key` is due and on which connection; `None` after the last.
    #[must_use]
    pub fn due(&self, key: u64) -> Option<(Moment, u64)> {
        if key >= self.keys {
            return None;
        }
        let after = Duration::from_nanos(count(float(key) * self.period_nanos));
        Some((self.start + after, key % self.connections))
    }

    /// How many keys there are in all.
    #[must_use]
    pub const fn keys(&self) -> u64 {
        self.keys
    }

    /// When the timetable ends.
    #[must_use]
    pub fn end(&self) -> Moment {
        let nanos = nanos(self.start) + count(float(self.keys) * self.period_nanos);
        Duration::from_nanos(nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_the_connections_over_the_period() {
        let start = Duration::from_secs(5);
        let plan = OpenLoop::new(start, 100, 10.0, Duration::from_secs(30));
        assert_eq!(plan.keys(), 30_000);
        assert_eq!(plan.due(0), Some((start, 0)));
        assert_eq!(plan.due(1), Some((start + Duration::from_millis(1), 1)));
        assert_eq!(plan.due(100), Some((start + Duration::from_millis(100), 0)));
        assert_eq!(plan.due(30_000), None);
        assert_eq!(plan.end(), start + Duration::from_secs(30));
    }

    #[test]
    fn odd_rates_do_not_drift() {
        let plan = OpenLoop::new(Duration::ZERO, 3, 7.0, Duration::from_secs(1000));
        let (last, _) = plan.due(plan.keys() - 1).unwrap();
        let expected = Duration::from_secs_f64(1000.0 - 1.0 / 21.0);
        assert!(last.abs_diff(expected) < Duration::from_micros(1));
    }
}
