//! The plan's own table, the effect of each phase, and what the old metric was.

use std::fmt::Write as _;

use super::phase::PHASES;
use crate::report::{ScenarioReport, TargetReport, Unit, Verdict, show};
use crate::stats::{Spread, ratios};

/// The plan's targets, for what is shipped.
pub(super) fn verdicts(shipped: &TargetReport) -> Vec<Verdict> {
    let limit = |what: &str, metric: &str, max: f64, unit: Unit| {
        let measured = shipped.spread(metric).map(|spread| spread.median);
        Verdict {
            what: what.to_owned(),
            measured: measured.map_or_else(|| "not measured".to_owned(), |value| show(value, unit)),
            wanted: format!("< {}", show(max, unit)),
            holds: measured.is_some_and(|value| value < max),
        }
    };
    vec![
        limit("average response time", "avg", 0.010, Unit::Seconds),
        limit("95th percentile", "p95", 0.020, Unit::Seconds),
        limit("99th percentile", "p99", 0.050, Unit::Seconds),
        success(shipped),
        limit("memory of the server", "memory", 100e6, Unit::Bytes),
        throughput(shipped),
        http(shipped),
    ]
}

fn success(shipped: &TargetReport) -> Verdict {
    let shares = shipped.outcomes().filter_map(crate::report::Outcome::success);
    let worst = shares.reduce(f64::min);
    Verdict {
        what: "connections that succeed".to_owned(),
        measured: worst.map_or_else(|| "not measured".to_owned(), |it| show(it, Unit::Share)),
        wanted: "100 %".to_owned(),
        holds: worst.is_some_and(|share| share >= 1.0),
    }
}

/// Every line answered, once: the number of messages says nothing, as batching lowers it.
fn throughput(shipped: &TargetReport) -> Verdict {
    let median = |name: &str| shipped.spread(name).map(|spread| spread.median);
    let counts = median("lines answered").zip(median("lines sent"));
    let whole = counts.is_some_and(|(answered, sent)| sent > 0.0 && answered >= sent);
    let shown = |(answered, sent): (f64, f64)| format!("{answered:.0} of {sent:.0} lines");
    Verdict {
        what: "throughput".to_owned(),
        measured: counts.map_or_else(|| "not measured".to_owned(), shown),
        wanted: "every line answered once".to_owned(),
        holds: whole && shipped.damage().is_none(),
    }
}

fn http(shipped: &TargetReport) -> Verdict {
    let p99 = shipped.spread("HTTP p99").map(|spread| spread.median);
    Verdict {
        what: "HTTP API, 99th percentile".to_owned(),
        measured: p99.map_or_else(|| "not measured".to_owned(), |it| show(it, Unit::Seconds)),
        wanted: "< 50 ms, only 2xx".to_owned(),
        holds: p99.is_some_and(|seconds| seconds < 0.050),
    }
}

/// What each phase did to the median response, in a sentence each.
///
/// The median, because a foreign program that keeps a CPU for a while spoils every average.
pub(super) fn effects(report: &ScenarioReport) -> String {
    let mut text =
        "What each phase of the plan does to the median, against the phase before it:".to_owned();
    let mut before: Option<&TargetReport> = None;
    for (phase, target) in PHASES.iter().zip(&report.targets) {
        let Some(now) = target.spread("p50").map(|spread| spread.median) else { continue };
        let shown = show(now, Unit::Seconds);
        let word = before.map_or("where it starts", |before| effect(target, before));
        let _ = write!(text, "\n  {:<10} {:<38} {shown:>9}  {word}", phase.name, phase.what);
        before = Some(target);
    }
    text
}

/// An effect is one that all rounds agree upon; with a single round it has to be large.
fn effect(now: &TargetReport, before: &TargetReport) -> &'static str {
    let ratios = ratios(&now.values("p50"), &before.values("p50"));
    let Some(spread) = Spread::of(&ratios) else { return "not measured" };
    let margin = if ratios.len() > 1 { 1.1 } else { 2.0 };
    if spread.median > margin && spread.min > 1.0 {
        "hurts"
    } else if spread.median * margin < 1.0 && spread.max < 1.0 {
        "helps"
    } else {
        "does nothing (within noise)"
    }
}

/// The old metric beside the true one, and why they differ.
pub(super) fn old_metric(shipped: &TargetReport, lines_per_second: f64) -> Option<String> {
    let median = |name: &str| shipped.spread(name).map(|spread| spread.median);
    let (old, new) = (median("old metric")?, median("avg")?);
    let per_line = median("messages received")? / median("lines sent")?.max(1.0);
    let period = 1.0 / lines_per_second;
    Some(format!(
        "The plan's 222 ms were the mean wait between two messages. By that metric this server scores \
         {}, while the true average response time, from when a line was due to the arrival of its \
         output, is {}. The old metric is the sending period divided by the messages for each line \
         ({} ÷ {per_line:.2} = {}): it measures how often lines are sent, not how fast they are \
         answered, and batching, which sends fewer messages, makes it worse.",
        show(old, Unit::Seconds),
        show(new, Unit::Seconds),
        show(period, Unit::Seconds),
        show(period / per_line.max(1e-9), Unit::Seconds),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Metric, Outcome};

    fn target(avg: f64, answered: f64) -> TargetReport {
        let seconds = |name, value| Metric::lower(name, value, Unit::Seconds);
        let count = |name, value| Metric::plain(name, value, Unit::Count);
        let metrics = vec![
            seconds("avg", avg),
            seconds("p50", avg),
            seconds("p95", avg * 2.0),
            seconds("p99", avg * 3.0),
            seconds("HTTP p99", 0.001),
            seconds("old metric", 0.2225),
            count("lines sent", 3000.0),
            count("lines answered", answered),
            count("messages received", 13_470.0),
            Metric::lower("memory", 30e6, Unit::Bytes),
        ];
        let outcome = Outcome { metrics, attempts: 100, ..Outcome::default() };
        TargetReport { target: "shipped".into(), rounds: vec![Ok(outcome)] }
    }

    fn holding(report: &TargetReport) -> Vec<bool> {
        verdicts(report).iter().map(|verdict| verdict.holds).collect()
    }

    #[test]
    fn judges_each_target_of_the_plan() {
        assert_eq!(holding(&target(0.001, 3000.0)), [true; 7]);
        assert_eq!(holding(&target(0.030, 3000.0)), [false, false, false, true, true, true, true]);
        assert!(!holding(&target(0.001, 2999.0))[5], "a line without an answer is no throughput");
        assert_eq!(holding(&TargetReport::default()), [false; 7], "what is not measured fails");
    }

    #[test]
    fn says_what_each_phase_did() {
        let targets = [0.001, 0.0012, 0.011, 0.010, 0.0005].map(|p50| target(p50, 3000.0)).to_vec();
        let text = effects(&ScenarioReport { targets, ..ScenarioReport::default() });
        let lines: Vec<&str> = text.lines().skip(1).collect();
        for (line, word) in lines.iter().zip(["starts", "nothing", "hurts", "nothing", "helps"]) {
            assert!(line.contains(word), "{line}");
        }
    }

    #[test]
    fn an_effect_needs_rounds_that_agree() {
        let rounds = |values: [f64; 3]| {
            let rounds = values.into_iter().flat_map(|p50| target(p50, 3000.0).rounds);
            TargetReport { rounds: rounds.collect(), ..TargetReport::default() }
        };
        let before = rounds([1.0, 1.0, 1.0]);
        assert_eq!(effect(&rounds([1.2, 1.3, 1.1]), &before), "hurts");
        assert_eq!(effect(&rounds([1.2, 1.3, 0.9]), &before), "does nothing (within noise)");
        assert_eq!(effect(&rounds([0.8, 0.7, 0.8]), &before), "helps");
        assert_eq!(effect(&TargetReport::default(), &before), "not measured");
    }

    #[test]
    fn explains_the_old_metric() {
        let text = old_metric(&target(0.000_2, 3000.0), 1.0).unwrap();
        assert!(text.contains("1 s ÷ 4.49 = 223 ms") && text.contains("200 µs"), "{text}");
    }
}
