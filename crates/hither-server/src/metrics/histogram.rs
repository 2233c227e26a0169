//! Durations by their order of magnitude.

use std::time::Duration;

/// Number of buckets with an upper bound; one more counts everything above.
pub(crate) const BUCKETS: usize = 20;
/// Upper bound of the first bucket, in microseconds; each next one is twice as far.
const FIRST_MICROS: u64 = 8;

/// Counts durations in buckets of 8 µs, 16 µs, … 4.2 s, and above.
///
/// To count is a handful of instructions, so that a worker may do it while somebody types.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Histogram {
    counts: [u64; BUCKETS + 1],
    sum: Duration,
}

impl Histogram {
    /// How many durations were at most [`bound`] of each bucket, and then how many there are.
    pub(crate) fn cumulative(&self) -> [u64; BUCKETS + 1] {
        let mut total = 0;
        self.counts.map(|count| {
            total += count;
            total
        })
    }

    /// The sum of all durations.
    pub(crate) const fn sum(&self) -> Duration {
        self.sum
    }

    /// Counts one duration.
    pub(crate) fn observe(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_nanos().div_ceil(1000)).unwrap_or(u64::MAX);
        let doublings = u64::BITS - (micros.max(1) - 1).leading_zeros();
        let bucket = doublings.saturating_sub(FIRST_MICROS.trailing_zeros());
        self.counts[usize::try_from(bucket).unwrap_or(BUCKETS).min(BUCKETS)] += 1;
        self.sum += duration;
    }

    /// Adds what another one has counted.
    pub(crate) fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.sum += other.sum;
    }
}

/// Upper bound of a bucket.
pub(crate) const fn bound(bucket: usize) -> Duration {
    Duration::from_micros(FIRST_MICROS << bucket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_the_first_bucket_that_holds_it() {
        for (nanos, bucket) in [
            (0, 0),
            (8_000, 0),
            (8_001, 1),
            (16_000, 1),
            (16_001, 2),
            (1_000_000, 7),
            (4_194_304_000, BUCKETS - 1),
            (4_194_304_001, BUCKETS),
            (u64::MAX, BUCKETS),
        ] {
            let mut histogram = Histogram::default();
            let duration = Duration::from_nanos(nanos);
            histogram.observe(duration);
            assert_eq!(histogram.counts[bucket], 1, "{duration:?}");
            assert!(bucket == BUCKETS || duration <= bound(bucket));
            assert!(bucket == 0 || duration > bound(bucket - 1));
            assert_eq!(histogram.sum(), duration);
        }
    }

    #[test]
    fn counts_add_up() {
        let mut all = Histogram::default();
        for micros in [1, 9, 9, 5_000_000] {
            let mut one = Histogram::default();
            one.observe(Duration::from_micros(micros));
            all.add(&one);
        }
        let cumulative = all.cumulative();
        assert_eq!((cumulative[0], cumulative[1], cumulative[BUCKETS]), (1, 3, 4));
        assert_eq!(all.sum(), Duration::from_micros(5_000_019));
    }
}
