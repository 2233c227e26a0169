//! When to ask for a certificate.

use std::time::{Duration, SystemTime};

/// Pause after the first failure. With the doubling, the first hour sees five tries, which is what
/// Let's Encrypt allows for one name.
const FIRST_PAUSE: Duration = Duration::from_secs(120);
/// Longest pause after a failure.
const PAUSE_MAX: Duration = Duration::from_secs(6 * 3600);

/// Between which times a certificate is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: SystemTime,
    pub(super) until: SystemTime,
}

impl Validity {
    /// When a new one is asked for: when two thirds of its time are over, as Let's Encrypt advises.
    pub(super) fn renewal(self) -> SystemTime {
        let span = self.until.duration_since(self.from).unwrap_or_default();
        self.from + span / 3 * 2
    }

    /// How long to wait before a new one is asked for; zero is now.
    pub(super) fn wait(self, now: SystemTime) -> Duration {
        self.renewal().duration_since(now).unwrap_or_default()
    }
}

/// How long to wait after so many failures in a row.
pub(super) fn pause(failures: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn ninety_days_are_renewed_thirty_days_before_their_end() {
        let from = SystemTime::UNIX_EPOCH;
        let validity = Validity { from, until: from + 90 * DAY };
        assert_eq!(validity.renewal(), from + 60 * DAY);
        assert_eq!(validity.wait(from + 59 * DAY), DAY);
        assert_eq!(validity.wait(from + 60 * DAY), Duration::ZERO);
        assert_eq!(validity.wait(from + 500 * DAY), Duration::ZERO);
        // A clock that was set back, and a certificate that makes no sense.
        assert_eq!(Validity { from: from + DAY, until: from }.renewal(), from + DAY);
    }

    #[test]
    fn failures_slow_down_and_never_stop_it() {
        let hour = Duration::from_secs(3600);
        let mut now = Duration::ZERO;
        let mut in_first_hour = 1;
        for failures in 1.. {
            now += pause(failures);
            if now >= hour {
                break;
            }
            in_first_hour += 1;
        }
        assert_eq!(in_first_hour, 5);
        assert_eq!(pause(u32::MAX), PAUSE_MAX);
        assert_eq!(pause(0), FIRST_PAUSE);
    }
}
