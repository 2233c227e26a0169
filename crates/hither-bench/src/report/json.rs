//! The report as JSON, for programs.

use serde_json::{Map, Value, json};

use super::{Metric, Outcome, Report, ScenarioReport, Series, TargetReport, Unit, Verdict};
use crate::stats::{Latencies, Spread};

/// The whole report as one JSON object. Times are in seconds, sizes in bytes.
#[must_use]
pub fn render(report: &Report) -> String {
    let host = &report.host;
    let value = json!({
        "format": "hither-bench-1",
        "command": report.command,
        "began": report.began,
        "interrupted": report.interrupted,
        "host": {"kernel": host.kernel, "cpu": host.cpu, "cpus": host.cpus, "load": host.load},
        "notes": report.notes,
        "scenarios": report.scenarios.iter().map(scenario).collect::<Vec<_>>(),
        "verdicts": report.verdicts.iter().map(verdict).collect::<Vec<_>>(),
    });
    format!("{value:#}\n")
}

fn scenario(scenario: &ScenarioReport) -> Value {
    json!({
        "name": scenario.name,
        "about": scenario.about,
        "baseline": scenario.baseline,
        "targets": scenario.targets.iter().map(|it| target(scenario, it)).collect::<Vec<_>>(),
    })
}

fn target(scenario: &ScenarioReport, target: &TargetReport) -> Value {
    let summary: Map<String, Value> = scenario
        .metrics()
        .iter()
        .filter_map(|metric| {
            let spread = target.spread(metric.name)?;
            let mut value = spread_json(spread);
            value["unit"] = json!(unit(metric.unit));
            value["ratio"] = scenario.ratio(target, metric.name).map_or(Value::Null, spread_json);
            Some((metric.name.to_owned(), value))
        })
        .collect();
    json!({
        "target": target.target,
        "summary": summary,
        "latency": target.latencies().as_ref().map(latency),
        "rounds": target.rounds.iter().map(round).collect::<Vec<_>>(),
    })
}

fn spread_json(spread: Spread) -> Value {
    json!({"min": spread.min, "median": spread.median, "max": spread.max})
}

fn round(round: &Result<Outcome, String>) -> Value {
    let outcome = match round {
        Ok(outcome) => outcome,
        Err(reason) => return json!({"error": reason}),
    };
    let damage = outcome.damage;
    let metric = |metric: &Metric| (metric.name.to_owned(), json!(metric.value));
    json!({
        "metrics": outcome.metrics.iter().map(metric).collect::<Map<_, _>>(),
        "latency": outcome.latencies.as_ref().map(latency),
        "series": outcome.series.iter().map(series).collect::<Vec<_>>(),
        "attempts": outcome.attempts,
        "failures": outcome.failures,
        "damage": {
            "lost": damage.lost,
            "doubled": damage.doubled,
            "reordered": damage.reordered,
            "corrupted": damage.corrupted,
        },
    })
}

fn series(series: &Series) -> Value {
    json!({"name": series.name, "unit": series.unit.map(unit), "points": series.points})
}

fn latency(latencies: &Latencies) -> Value {
    let summary = latencies.summary();
    let bars = latencies.bars(20);
    json!({
        "count": summary.count,
        "mean": summary.mean.as_secs_f64(),
        "p50": summary.p50.as_secs_f64(),
        "p95": summary.p95.as_secs_f64(),
        "p99": summary.p99.as_secs_f64(),
        "p99.9": summary.p999.as_secs_f64(),
        "max": summary.max.as_secs_f64(),
        "histogram": bars.iter().map(|bar| (bar.low, bar.high, bar.count)).collect::<Vec<_>>(),
    })
}

fn verdict(verdict: &Verdict) -> Value {
    json!({
        "what": verdict.what,
        "measured": verdict.measured,
        "wanted": verdict.wanted,
        "holds": verdict.holds,
    })
}

const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "s",
        Unit::SecondsPerGigabyte => "s/GB",
        Unit::Bytes => "B",
        Unit::BytesPerSecond => "B/s",
        Unit::PerSecond => "1/s",
        Unit::Count => "",
        Unit::Share => "share",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::table::tests::example;

    #[test]
    fn is_json_with_every_round_and_ratio() {
        let value: Value = serde_json::from_str(&render(&example())).unwrap();
        let target = &value["scenarios"][0]["targets"][1];
        assert_eq!(target["target"], "<b>ttyd</b>");
        let ratio = target["summary"]["p50"]["ratio"]["median"].as_f64().unwrap();
        assert!((ratio - 1.2).abs() < 1e-9);
        assert_eq!(target["rounds"][0]["damage"]["lost"], 1);
        assert_eq!(target["rounds"][2]["error"], "no\x1b[31m way");
        assert_eq!(target["latency"]["count"], 200);
        assert_eq!(value["verdicts"][0]["holds"], true);
    }
}
