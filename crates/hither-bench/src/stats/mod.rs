//! Arithmetic of measurements, without clocks and without I/O.
//!
//! Times are [`Moment`]s: durations since the start of a run. Whoever has a clock passes them in,
//! so that the tests can run a whole load in virtual time.

mod latency;
mod schedule;
mod spread;
mod waits;

pub use latency::{Bar, Latencies, LatencySummary};
pub use schedule::OpenLoop;
pub use spread::{Spread, median, ratios};
pub use waits::MessageWaits;

/// A point in time: how long after the start of the run.
pub type Moment = std::time::Duration;

/// `nanos` as a count; saturates after 584 years.
pub(crate) fn nanos(time: Moment) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A count as a number to calculate with; exact below 2^53.
#[allow(clippy::cast_precision_loss, reason = "counts here stay far below 2^53")]
pub(crate) const fn float(count: u64) -> f64 {
    count as f64
}

/// A measured number as a count: rounded, never negative.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of the type; `as` saturates"
)]
pub(crate) const fn count(number: f64) -> u64 {
    number.max(0.0).round() as u64
}
