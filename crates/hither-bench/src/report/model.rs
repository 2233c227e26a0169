//! The data of a report.

use crate::content::Damage;
use crate::stats::{Latencies, Spread, ratios};

/// All that one run of the bench has measured.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What was asked for, as typed.
    pub command: String,
    /// When it began, in seconds since 1970.
    pub began: u64,
    /// Where it ran.
    pub host: Host,
    /// Whether somebody stopped it before it was complete.
    pub interrupted: bool,
    /// What has to be known to read it.
    pub notes: Vec<String>,
    /// The measurements.
    pub scenarios: Vec<ScenarioReport>,
    /// What was compared with a limit.
    pub verdicts: Vec<Verdict>,
}

/// The machine.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// Kernel name and release.
    pub kernel: String,
    /// CPU model.
    pub cpu: String,
    /// CPUs that the bench may use.
    pub cpus: usize,
    /// Load average of the last minute when it began.
    pub load: f64,
}

/// One scenario on all targets.
#[derive(Clone, Debug, Default)]
pub struct ScenarioReport {
    /// Stable name.
    pub name: String,
    /// What was done, in a sentence.
    pub about: String,
    /// The targets in the order asked for.
    pub targets: Vec<TargetReport>,
    /// The target that the others are compared with.
    pub baseline: Option<String>,
}

/// One scenario on one target.
#[derive(Clone, Debug, Default)]
pub struct TargetReport {
    /// Name of the target.
    pub target: String,
    /// One outcome for each round; `Err` says why there is none.
    pub rounds: Vec<Result<Outcome, String>>,
}

/// What one round has measured.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The figures, in the order of the table.
    pub metrics: Vec<Metric>,
    /// Response times, where there are some.
    pub latencies: Option<Latencies>,
    /// Values over time.
    pub series: Vec<Series>,
    /// Keys, lines or bytes that did not arrive as they should.
    pub damage: Damage,
    /// What was tried: connections, requests.
    pub attempts: u64,
    /// What failed, with reasons.
    pub failures: Vec<String>,
}

/// A figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    /// Stable name.
    pub name: &'static str,
    /// Value in the unit's base: seconds, bytes, bytes per second.
    pub value: f64,
    /// What it counts.
    pub unit: Unit,
    /// Which direction is better.
    pub better: Better,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Seconds for each gigabyte.
    SecondsPerGigabyte,
    /// Bytes.
    Bytes,
    /// Bytes per second.
    BytesPerSecond,
    /// Something per second.
    PerSecond,
    /// A number of things.
    Count,
    /// A share of one.
    Share,
}

/// Which direction of a figure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// Neither; it says how the measurement was made.
    Neither,
}

/// Values over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// What the values are.
    pub name: String,
    /// Unit of the values.
    pub unit: Option<Unit>,
    /// Seconds since the start of the measurement, and the value.
    pub points: Vec<(f64, f64)>,
}

/// A comparison with a limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What was compared.
    pub what: String,
    /// What was measured.
    pub measured: String,
    /// What was wanted.
    pub wanted: String,
    /// Whether it holds.
    pub holds: bool,
}

impl Metric {
    /// A figure of which less is better.
    #[must_use]
    pub const fn lower(name: &'static str, value: f64, unit: Unit) -> Self {
        Self { name, value, unit, better: Better::Lower }
    }

    /// A figure of which more is better.
    #[must_use]
    pub const fn higher(name: &'static str, value: f64, unit: Unit) -> Self {
        Self { name, value, unit, better: Better::Higher }
    }

    /// A figure that is not judged.
    #[must_use]
    pub const fn plain(name: &'static str, value: f64, unit: Unit) -> Self {
        Self { name, value, unit, better: Better::Neither }
    }
}

impl Outcome {
    /// The figure of this name.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value)
    }

    /// The share of attempts that did not fail; `None` when nothing was tried.
    #[must_use]
    pub fn success(&self) -> Option<f64> {
        use crate::stats::float;
        let failed = (self.failures.len() as u64).min(self.attempts);
        (self.attempts > 0).then(|| float(self.attempts - failed) / float(self.attempts))
    }
}

impl TargetReport {
    /// The rounds that came to an end.
    pub fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.rounds.iter().filter_map(|round| round.as_ref().ok())
    }

    /// A figure, round by round.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<Option<f64>> {
        let value = |round: &Result<Outcome, String>| round.as_ref().ok()?.metric(name);
        self.rounds.iter().map(value).collect()
    }

    /// Median, smallest and largest of a figure.
    #[must_use]
    pub fn spread(&self, name: &str) -> Option<Spread> {
        let values: Vec<f64> = self.values(name).into_iter().flatten().collect();
        Spread::of(&values)
    }

    /// Response times of all rounds together.
    #[must_use]
    pub fn latencies(&self) -> Option<Latencies> {
        let mut all = self.outcomes().filter_map(|outcome| outcome.latencies.as_ref());
        let mut sum = all.next()?.clone();
        all.for_each(|more| sum.merge(more));
        Some(sum)
    }

    /// What was damaged in all rounds.
    #[must_use]
    pub fn damage(&self) -> Damage {
        let mut sum = Damage::default();
        self.outcomes().for_each(|outcome| sum += outcome.damage);
        sum
    }
}

impl ScenarioReport {
    /// Every figure that a target has, in order.
    #[must_use]
    pub fn metrics(&self) -> Vec<Metric> {
        let mut all: Vec<Metric> = Vec::new();
        let outcomes = self.targets.iter().flat_map(TargetReport::outcomes);
        for metric in outcomes.flat_map(|outcome| &outcome.metrics) {
            if !all.iter().any(|known| known.name == metric.name) {
                all.push(*metric);
            }
        }
        all
    }

    /// The target of this name.
    #[must_use]
    pub fn target(&self, name: &str) -> Option<&TargetReport> {
        self.targets.iter().find(|target| target.target == name)
    }

    /// The ratios of a figure of `target` to the baseline's, round by round.
    #[must_use]
    pub fn ratio(&self, target: &TargetReport, metric: &str) -> Option<Spread> {
        let baseline = self.target(self.baseline.as_deref()?)?;
        Spread::of(&ratios(&target.values(metric), &baseline.values(metric)))
    }
}
