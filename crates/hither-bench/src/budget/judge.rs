//! Comparing with the budget.

use super::file::{Budget, InstructionLimit, RatioLimit};
use crate::report::{ScenarioReport, Verdict};
use crate::stats::{median, ratios as ratios_of};
use crate::target::Target;

/// A verdict for each ratio of the budget. What was not measured does not hold.
pub(crate) fn ratios(budget: &Budget, measured: &[ScenarioReport]) -> Vec<Verdict> {
    budget.ratios.iter().map(|limit| ratio(limit, measured)).collect()
}

fn ratio(limit: &RatioLimit, measured: &[ScenarioReport]) -> Verdict {
    let value = measure(limit, measured);
    let above = limit.max.is_some_and(|max| value.is_some_and(|value| value > max));
    let below = limit.min.is_some_and(|min| value.is_some_and(|value| value < min));
    let wanted =
        [limit.max.map(|max| format!("≤ ×{max}")), limit.min.map(|min| format!("≥ ×{min}"))];
    let holds = value.is_some() && !above && !below;
    let what = format!("{} {}: {} ÷ {}", limit.scenario, limit.metric, limit.target, limit.against);
    Verdict {
        what: with_reason(what, &limit.why, holds),
        measured: value.map_or_else(|| "not measured".to_owned(), |it| format!("×{it:.2}")),
        wanted: wanted.into_iter().flatten().collect::<Vec<_>>().join(", "),
        holds,
    }
}

fn measure(limit: &RatioLimit, measured: &[ScenarioReport]) -> Option<f64> {
    let scenario = measured.iter().find(|scenario| scenario.name == limit.scenario)?;
    let values = |name: &str| {
        let name = name.parse::<Target>().ok()?.name;
        Some(scenario.target(&name)?.values(&limit.metric))
    };
    median(&ratios_of(&values(&limit.target)?, &values(&limit.against)?))
}

/// The verdict on an instruction count.
pub(crate) fn instructions(limit: &InstructionLimit, count: Result<f64, String>) -> Verdict {
    let holds = count.as_ref().is_ok_and(|count| *count <= limit.max);
    let what = format!("instructions each {}: {}", limit.each.name(), limit.target);
    Verdict {
        what: with_reason(what, &limit.why, holds),
        holds,
        measured: count.map_or_else(|reason| reason, |count| format!("{count:.0}")),
        wanted: format!("≤ {:.0}", limit.max),
    }
}

/// A limit that does not hold says why it is there.
fn with_reason(what: String, why: &str, holds: bool) -> String {
    if holds { what } else { format!("{what} ({why})") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::file::Work;
    use crate::report::{Metric, Outcome, TargetReport, Unit};

    const FILE: &str = r#"{"rounds": 3, "ratios": [
        {"scenario": "echo-1-closed", "metric": "p50", "target": "hither", "against": "floor-ws",
         "max": 1.5, "why": "noise"},
        {"scenario": "flood-1", "metric": "speed", "target": "hither", "against": "floor-ws",
         "min": 0.7, "why": "noise"}],
        "instructions": [{"each": "keystroke", "target": "hither", "max": 50000, "why": "x"}]}"#;

    fn report(name: &str, metric: &'static str, ours: f64) -> ScenarioReport {
        let target = |target: &str, values: [f64; 3]| TargetReport {
            target: target.to_owned(),
            rounds: values
                .map(|value| Outcome {
                    metrics: vec![Metric::lower(metric, value, Unit::Seconds)],
                    ..Outcome::default()
                })
                .map(Ok)
                .to_vec(),
        };
        ScenarioReport {
            name: name.to_owned(),
            targets: vec![
                target("floor-ws", [1.0, 2.0, 1.0]),
                target("hither", [ours, 2.0 * ours, 9.0]),
            ],
            ..ScenarioReport::default()
        }
    }

    fn holding(reports: &[ScenarioReport]) -> Vec<bool> {
        let budget = Budget::parse(FILE).unwrap();
        ratios(&budget, reports).iter().map(|verdict| verdict.holds).collect()
    }

    #[test]
    fn medians_of_ratios_are_compared_with_both_kinds_of_limit() {
        let good = [report("echo-1-closed", "p50", 1.4), report("flood-1", "speed", 0.9)];
        assert_eq!(holding(&good), [true, true], "one bad round of three does not count");
        let bad = [report("echo-1-closed", "p50", 1.6), report("flood-1", "speed", 0.6)];
        assert_eq!(holding(&bad), [false, false]);
        assert_eq!(holding(&[]), [false, false], "what was not measured does not hold");
    }

    #[test]
    fn the_file_is_checked() {
        let budget = Budget::parse(FILE).unwrap();
        assert_eq!(budget.measurements().len(), 2);
        assert_eq!(budget.instructions[0].each, Work::Keystroke);
        for (from, to) in [("echo-1-closed", "echo-2"), ("hither", "telnet"), ("max", "most")] {
            assert!(Budget::parse(&FILE.replacen(from, to, 1)).is_err(), "{to}");
        }
        let unlimited = FILE.replacen("\"max\": 1.5,", "", 1);
        assert!(Budget::parse(&unlimited).is_err());
    }

    #[test]
    fn the_budget_that_is_checked_in_is_one() {
        let budget = Budget::parse(include_str!("../../budget.json")).unwrap();
        assert!(budget.measurements().len() >= 4 && budget.instructions.len() == 2);
    }

    #[test]
    fn instruction_counts() {
        let budget = Budget::parse(FILE).unwrap();
        let limit = &budget.instructions[0];
        assert!(instructions(limit, Ok(49_000.0)).holds);
        assert!(!instructions(limit, Ok(51_000.0)).holds);
        assert!(!instructions(limit, Err("no valgrind".to_owned())).holds);
    }
}
