//! Response times as a histogram.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::{Moment, float, nanos};

/// Longest response time that is told apart from longer ones.
const LATENCY_MAX: Duration = Duration::from_secs(3600);

/// Response times: an HDR histogram of nanoseconds with three significant digits.
#[derive(Clone, Debug)]
pub struct Latencies {
    histogram: Histogram<u64>,
}

impl Default for Latencies {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, nanos(LATENCY_MAX), 3)
            .expect("bounds and digits are constants that fit");
        Self { histogram }
    }
}

impl Latencies {
    /// Adds the response time of something that was due at `due` and answered at `answered`.
    ///
    /// `due` is when it *should* have been sent. A load that measures from when it *could* send
    /// leaves out the waiting of everything that was held up behind one slow answer
    /// ("coordinated omission").
    pub fn record(&mut self, due: Moment, answered: Moment) {
        self.record_for(answered.saturating_sub(due));
    }

    /// Adds one response time.
    pub fn record_for(&mut self, latency: Duration) {
        self.histogram.saturating_record(nanos(latency).max(1));
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.histogram.add(&other.histogram).expect("all histograms here have the same bounds");
    }

    /// How many response times were added.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.histogram.len()
    }

    /// Whether nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.histogram.is_empty()
    }

    /// The response time that `percent` of all do not exceed; zero when empty.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> Duration {
        Duration::from_nanos(self.histogram.value_at_percentile(percent))
    }

    /// The usual figures.
    #[must_use]
    pub fn summary(&self) -> LatencySummary {
        LatencySummary {
            count: self.len(),
            mean: Duration::from_secs_f64(self.histogram.mean() / 1e9),
            p50: self.percentile(50.0),
            p95: self.percentile(95.0),
            p99: self.percentile(99.0),
            p999: self.percentile(99.9),
            max: Duration::from_nanos(self.histogram.max()),
        }
    }

    /// The histogram on a logarithmic axis, `per_decade` bars for each power of ten.
    ///
    /// Only bars between the smallest and the largest value are given, empty ones included.
    #[must_use]
    pub fn bars(&self, per_decade: u32) -> Vec<Bar> {
        if self.is_empty() {
            return Vec::new();
        }
        let step = 10_f64.powf(1.0 / f64::from(per_decade));
        let smallest = float(self.histogram.min().max(1));
        let exponent = (smallest.log10() * f64::from(per_decade)).floor() / f64::from(per_decade);
        let mut low = 10_f64.powf(exponent);
        let mut bars = Vec::new();
        let mut counted = 0;
        while counted < self.len() && bars.len() < 1000 {
            let below = self.histogram.count_between(0, super::count(low * step) - 1);
            bars.push(Bar { low: low / 1e9, high: low * step / 1e9, count: below - counted });
            counted = below;
            low *= step;
        }
        bars
    }

    /// The percentile curve: pairs of percent and response time in seconds, with points that crowd
    /// towards 100 %, as such a plot needs them.
    #[must_use]
    pub fn curve(&self) -> Vec<(f64, f64)> {
        const PERCENTS: [f64; 22] = [
            0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 75.0, 80.0, 85.0, 90.0, 92.5, 95.0,
            97.5, 98.0, 99.0, 99.5, 99.75, 99.9, 99.95, 99.99,
        ];
        let resolvable = |percent: &f64| (100.0 - percent) / 100.0 * float(self.len()) >= 1.0;
        PERCENTS
            .into_iter()
            .filter(resolvable)
            .map(|percent| (percent, self.percentile(percent).as_secs_f64()))
            .collect()
    }
}

/// The usual figures of a histogram.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LatencySummary {
    /// How many.
    pub count: u64,
    /// Average.
    pub mean: Duration,
    /// Median.
    pub p50: Duration,
    /// 95 % do not exceed this.
    pub p95: Duration,
    /// 99 % do not exceed this.
    pub p99: Duration,
    /// 99.9 % do not exceed this.
    pub p999: Duration,
    /// The slowest.
    pub max: Duration,
}

/// One bar of a histogram plot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Where it starts, in seconds.
    pub low: f64,
    /// Where it ends, in seconds.
    pub high: f64,
    /// How many values lie between.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_from_the_due_time() {
        let mut latencies = Latencies::default();
        latencies.record(Duration::from_millis(10), Duration::from_millis(13));
        latencies.record(Duration::from_millis(10), Duration::from_millis(9));
        let summary = latencies.summary();
        assert_eq!(summary.count, 2);
        assert!(summary.max.abs_diff(Duration::from_millis(3)) < Duration::from_micros(4));
        assert!(latencies.percentile(0.0) <= Duration::from_nanos(1));
    }

    #[test]
    fn percentiles_of_a_known_set() {
        let mut latencies = Latencies::default();
        for millis in 1..=1000 {
            latencies.record_for(Duration::from_millis(millis));
        }
        let close = |a: Duration, ms: u64| {
            let b = Duration::from_millis(ms);
            a.abs_diff(b) <= b / 500
        };
        let summary = latencies.summary();
        assert!(close(summary.p50, 500), "{summary:?}");
        assert!(close(summary.p95, 950), "{summary:?}");
        assert!(close(summary.p99, 990), "{summary:?}");
        assert!(close(summary.p999, 999), "{summary:?}");
        assert!(close(summary.max, 1000), "{summary:?}");
        assert!(summary.mean.abs_diff(Duration::from_micros(500_500)) < Duration::from_millis(1));
    }

    #[test]
    fn bars_hold_every_value_once() {
        let mut latencies = Latencies::default();
        for micros in [90, 95, 100, 105, 2000, 2001, 70_000] {
            latencies.record_for(Duration::from_micros(micros));
        }
        let bars = latencies.bars(10);
        assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>(), 7);
        assert!(bars.first().unwrap().low <= 90e-6);
        assert!(bars.last().unwrap().high >= 70e-3);
        assert!(bars.windows(2).all(|pair| (pair[0].high / pair[1].low - 1.0).abs() < 1e-6));
        assert!(Latencies::default().bars(10).is_empty());
    }

    #[test]
    fn curve_stops_where_the_samples_end() {
        let mut latencies = Latencies::default();
        for micros in 1..=100 {
            latencies.record_for(Duration::from_micros(micros));
        }
        let curve = latencies.curve();
        assert!(curve.iter().any(|point| point.0 >= 99.0));
        assert!(curve.iter().all(|point| point.0 <= 99.0), "100 values have no p99.9");
    }
}
