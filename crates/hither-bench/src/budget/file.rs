//! The budget's file.

use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

use crate::loads::Pace;
use crate::scenario::Scenario;
use crate::target::Target;

/// What must hold. The file is JSON; every entry says why its limit is what it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Budget {
    /// How often each scenario is measured.
    pub(crate) rounds: u32,
    /// Limits of medians of per-round ratios.
    pub(crate) ratios: Vec<RatioLimit>,
    /// Limits of instruction counts.
    #[serde(default)]
    pub(crate) instructions: Vec<InstructionLimit>,
}

/// The figure of one target divided by that of another, both of the same round.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RatioLimit {
    /// One of [`Budget::SCENARIOS`].
    pub(crate) scenario: String,
    /// A figure of that scenario.
    pub(crate) metric: String,
    /// The target that is guarded.
    pub(crate) target: String,
    /// The target that it is compared with.
    pub(crate) against: String,
    /// The ratio must not be above this.
    pub(crate) max: Option<f64>,
    /// The ratio must not be below this.
    pub(crate) min: Option<f64>,
    /// Why.
    pub(crate) why: String,
}

/// Instructions that the server executes for one thing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InstructionLimit {
    /// For what.
    pub(crate) each: Work,
    /// The target that is guarded.
    pub(crate) target: String,
    /// The count must not be above this.
    pub(crate) max: f64,
    /// Why.
    pub(crate) why: String,
}

/// What instructions are counted for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Work {
    /// One key, typed and echoed.
    Keystroke,
    /// 1,048,576 bytes of output.
    Mebibyte,
}

impl Work {
    /// The name in the report.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Keystroke => "keystroke",
            Self::Mebibyte => "mebibyte",
        }
    }
}

/// A file that is no budget.
#[derive(Debug, Error)]
pub(crate) enum InvalidBudget {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("scenario must be one of {known}, not {given:?}")]
    Scenario { given: String, known: String },
    #[error("{0}")]
    Target(#[from] crate::target::InvalidTarget),
    #[error("a limit of {0} needs max or min")]
    NoLimit(String),
}

impl Budget {
    const LENGTH: Duration = Duration::from_secs(2);

    /// What can be measured in the time that a smoke test has.
    const SCENARIOS: [Scenario; 5] = [
        Scenario::Echo { connections: 1, pace: Pace::Closed, length: Self::LENGTH },
        Scenario::Echo { connections: 100, pace: Pace::Open(10.0), length: Self::LENGTH },
        Scenario::Flood { connections: 1, bytes: 64_000_000 },
        Scenario::Mixed { typists: 10, flooders: 10, rate: 10.0, length: Self::LENGTH },
        Scenario::Tail { bytes: 256 * 1024, times: 5 },
    ];

    /// Reads a budget.
    ///
    /// # Errors
    /// When it is not JSON of this form, or names what there is not.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidBudget> {
        let budget: Self = serde_json::from_str(text)?;
        for limit in &budget.ratios {
            if !Self::SCENARIOS.iter().any(|scenario| scenario.name() == limit.scenario) {
                let given = limit.scenario.clone();
                return Err(InvalidBudget::Scenario { given, known: Self::names() });
            }
            if limit.max.is_none() && limit.min.is_none() {
                return Err(InvalidBudget::NoLimit(limit.metric.clone()));
            }
            limit.target.parse::<Target>()?;
            limit.against.parse::<Target>()?;
        }
        for limit in &budget.instructions {
            limit.target.parse::<Target>()?;
        }
        Ok(budget)
    }

    /// The scenarios that the ratios need, each with its targets.
    pub(crate) fn measurements(&self) -> Vec<(Scenario, Vec<Target>)> {
        let needed = |scenario: Scenario| {
            let mut targets: Vec<Target> = Vec::new();
            let limits = self.ratios.iter().filter(|limit| limit.scenario == scenario.name());
            for name in limits.flat_map(|limit| [&limit.against, &limit.target]) {
                let target = name.parse().ok().filter(|target| !targets.contains(target));
                targets.extend(target);
            }
            (!targets.is_empty()).then_some((scenario, targets))
        };
        Self::SCENARIOS.into_iter().filter_map(needed).collect()
    }

    fn names() -> String {
        Self::SCENARIOS.map(|scenario| scenario.name()).join(", ")
    }
}
