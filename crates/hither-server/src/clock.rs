//! One clock for a whole gateway.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Time as durations since the start of the gateway, which is what the state machines take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
    start_unix_ms: u64,
}

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let start_unix_ms = u64::try_from(unix.as_millis()).unwrap_or(u64::MAX);
        Self { start: Instant::now(), start_unix_ms }
    }

    /// Time since the start; it never goes back.
    #[inline]
    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// The moment as an [`Instant`].
    pub(crate) fn instant(&self, now: Duration) -> Instant {
        self.start + now
    }

    /// The moment in milliseconds since 1970, by the wall clock as it was at the start.
    #[inline]
    pub(crate) fn unix_ms(&self, now: Duration) -> u64 {
        self.start_unix_ms + u64::try_from(now.as_millis()).unwrap_or(0)
    }
}
