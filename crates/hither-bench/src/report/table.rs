//! The report as text.

use std::fmt::Write as _;

use super::format::{show, show_ratio};
use super::{Better, Report, ScenarioReport, TargetReport, Verdict};
use crate::stats::Spread;

/// Longest reason that fits in a column, in characters.
const REASON_MAX: usize = 32;

/// The whole report as text for a terminal.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    let host = &report.host;
    let _ = writeln!(
        text,
        "{} · {} CPUs · {} · load {:.2}",
        host.kernel, host.cpus, host.cpu, host.load
    );
    for scenario in &report.scenarios {
        let _ = writeln!(text, "\n{} — {}", scenario.name, scenario.about);
        text += &grid(&rows(scenario));
    }
    if !report.verdicts.is_empty() {
        text += "\n";
        text += &grid(&verdict_rows(&report.verdicts));
    }
    for note in &report.notes {
        let _ = writeln!(text, "\n{note}");
    }
    if report.interrupted {
        text += "\ninterrupted: this is what was measured until then\n";
    }
    text
}

pub(super) fn rows(scenario: &ScenarioReport) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    rows[0].extend(scenario.targets.iter().map(|target| target.target.clone()));
    for metric in scenario.metrics() {
        let mut row = vec![metric.name.to_owned()];
        for target in &scenario.targets {
            let value = target.spread(metric.name).map(|spread| show(spread.median, metric.unit));
            let ratio = scenario.ratio(target, metric.name);
            let judged = metric.better != Better::Neither;
            let ratio =
                ratio.filter(|_| judged && scenario.baseline.as_ref() != Some(&target.target));
            row.push(cell(value, ratio));
        }
        rows.push(row);
    }
    rows.push(row("success", scenario, success));
    rows.push(row("damage", scenario, damage));
    if scenario.targets.iter().any(|target| target.rounds.iter().any(Result::is_err)) {
        rows.push(row("failed rounds", scenario, failed_rounds));
    }
    rows
}

fn row(
    name: &str,
    scenario: &ScenarioReport,
    cell: impl Fn(&TargetReport) -> String,
) -> Vec<String> {
    let cells = scenario.targets.iter().map(cell);
    std::iter::once(name.to_owned()).chain(cells).collect()
}

fn cell(value: Option<String>, ratio: Option<Spread>) -> String {
    let Some(value) = value else { return "–".to_owned() };
    let Some(ratio) = ratio else { return value };
    let middle = show_ratio(ratio.median);
    if (ratio.max - ratio.min).abs() < f64::EPSILON {
        return format!("{value} ({middle})");
    }
    format!("{value} ({middle}, {:.2}–{:.2})", ratio.min, ratio.max)
}

fn success(target: &TargetReport) -> String {
    let shares: Vec<f64> = target.outcomes().filter_map(super::Outcome::success).collect();
    let Some(spread) = Spread::of(&shares) else { return "–".to_owned() };
    let reason = target.outcomes().flat_map(|outcome| &outcome.failures).next();
    let share = show(spread.min, super::Unit::Share);
    reason.map_or_else(|| share.clone(), |reason| format!("{share}: {}", short(reason)))
}

fn damage(target: &TargetReport) -> String {
    let damage = target.damage();
    if target.outcomes().next().is_none() {
        return "–".to_owned();
    }
    let kinds = [
        (damage.lost, "lost"),
        (damage.doubled, "doubled"),
        (damage.reordered, "reordered"),
        (damage.corrupted, "corrupted"),
    ];
    let found: Vec<String> = kinds
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| format!("{count} {kind}"))
        .collect();
    if found.is_empty() { "none".to_owned() } else { found.join(", ") }
}

fn failed_rounds(target: &TargetReport) -> String {
    let reasons: Vec<&String> = target.rounds.iter().filter_map(|r| r.as_ref().err()).collect();
    match reasons.first() {
        None => "0".to_owned(),
        Some(first) => format!("{}: {}", reasons.len(), short(first)),
    }
}

/// The first line of a reason, as far as a column allows.
fn short(reason: &str) -> String {
    let line = reason.lines().next().unwrap_or_default();
    let mut cut: String =
        line.chars().map(|c| if c.is_control() { '?' } else { c }).take(REASON_MAX).collect();
    if line.chars().count() > REASON_MAX {
        cut.push('…');
    }
    cut
}

fn verdict_rows(verdicts: &[Verdict]) -> Vec<Vec<String>> {
    let head = ["", "measured", "wanted", ""].map(str::to_owned).to_vec();
    let row = |verdict: &Verdict| {
        let word = if verdict.holds { "pass" } else { "FAIL" };
        vec![
            verdict.what.clone(),
            verdict.measured.clone(),
            verdict.wanted.clone(),
            word.to_owned(),
        ]
    };
    std::iter::once(head).chain(verdicts.iter().map(row)).collect()
}

/// Columns of equal width, the first aligned left and the others right.
fn grid(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            let _ = if column == 0 {
                write!(line, "  {cell:<width$}")
            } else {
                write!(line, "  {cell:>width$}")
            };
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::content::Damage;
    use crate::report::{Metric, Outcome, Series, Unit};
    use crate::stats::Latencies;
    use std::time::Duration;

    fn outcome(p50: f64, lost: u64) -> Result<Outcome, String> {
        let mut latencies = Latencies::default();
        (1..=100).for_each(|step| {
            latencies.record_for(Duration::from_secs_f64(p50 * f64::from(step) / 50.0));
        });
        let points = vec![(0.5, p50), (1.5, p50 * 2.0), (2.5, p50)];
        Ok(Outcome {
            metrics: vec![
                Metric::lower("p50", p50, Unit::Seconds),
                Metric::higher("keys", 1000.0, Unit::PerSecond),
            ],
            latencies: Some(latencies),
            series: vec![Series { name: "mean echo".into(), unit: Some(Unit::Seconds), points }],
            damage: Damage { lost, ..Damage::default() },
            attempts: 100,
            failures: vec!["x".to_owned(); usize::try_from(lost).unwrap()],
        })
    }

    /// A report with two targets of which one is broken and named like an attack.
    pub(in crate::report) fn example() -> Report {
        let floor = TargetReport {
            target: "floor-ws".into(),
            rounds: vec![outcome(100e-6, 0), outcome(200e-6, 0)],
        };
        let other = TargetReport {
            target: "<b>ttyd</b>".into(),
            rounds: vec![outcome(110e-6, 1), outcome(260e-6, 0), Err("no\x1b[31m way".into())],
        };
        Report {
            command: "hither bench echo".into(),
            began: 1_790_000_000,
            scenarios: vec![ScenarioReport {
                name: "echo-1".into(),
                about: "one connection, closed loop".into(),
                targets: vec![floor, other],
                baseline: Some("floor-ws".into()),
            }],
            verdicts: vec![Verdict {
                what: "average".into(),
                measured: "0.2 ms".into(),
                wanted: "< 10 ms".into(),
                holds: true,
            }],
            ..Report::default()
        }
    }

    #[test]
    fn shows_medians_ratios_and_what_went_wrong() {
        let text = render(&example());
        assert!(text.contains("150 µs"), "{text}");
        assert!(text.contains("185 µs (×1.20, 1.10–1.30)"), "{text}");
        assert!(text.contains("1 lost") && text.contains("99 %: x"), "{text}");
        assert!(text.contains("1: no?[31m way"), "control characters are shown as text: {text}");
        assert!(text.contains("pass"), "{text}");
    }
}
