//! The phases of the plan: the settings of each, and its measurement.

use std::sync::Arc;
use std::time::Duration;

use crate::args::PlanArgs;
use crate::child::Program;
use crate::engine::Engine;
use crate::loads::{GRACE, Lines, Pace, Requests, Until};
use crate::report::{Metric, Outcome, Series, TargetReport, Unit};
use crate::scenario::{Meter, Round, latency_metrics};
use crate::stats::{Latencies, float};
use crate::target::{Guard, Hither, Target, TargetKind};
use crate::wire::{Attach, Protocol};

/// A phase: what it switches on, given as options of `hither serve`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phase {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    options: &'static [&'static str],
}

/// Baseline, the plan's three phases one on top of the other, and what is shipped.
pub(super) const PHASES: [Phase; 5] = [
    Phase {
        name: "baseline",
        what: "1 KiB reads, no batching, one worker",
        options: &["--read-buffer=1KiB", "--batch-bytes=1KiB", "--batch-delay=0", "--workers=1"],
    },
    Phase {
        name: "1 PTY I/O",
        what: "8 KiB reads, batched",
        options: &["--read-buffer=8KiB", "--batch-bytes=8KiB", "--batch-delay=0", "--workers=1"],
    },
    Phase {
        name: "2 frames",
        what: "and messages gathered for 10 ms",
        options: &["--read-buffer=8KiB", "--batch-bytes=8KiB", "--batch-delay=10ms", "--workers=1"],
    },
    Phase {
        name: "3 workers",
        what: "and a pool of 100 workers",
        options: &[
            "--read-buffer=8KiB",
            "--batch-bytes=8KiB",
            "--batch-delay=10ms",
            "--workers=100",
        ],
    },
    Phase { name: "shipped", what: "the defaults: no timer", options: &[] },
];

impl Phase {
    pub(super) fn empty_report(&self) -> TargetReport {
        TargetReport { target: self.name.to_owned(), rounds: Vec::new() }
    }

    pub(super) fn options(&self) -> Vec<String> {
        self.options.iter().map(|option| (*option).to_owned()).collect()
    }
}

/// The server under test: the one given, or `hither serve` spoken to in the plan's own protocol.
pub(super) fn target(given: &[Target]) -> Target {
    let hither = given.iter().filter(|target| target.name != "hither");
    let mut hither = hither.filter(|target| matches!(target.kind, TargetKind::Hither(_)));
    let usual = || Target {
        name: "hither-plan".to_owned(),
        kind: TargetKind::Hither(Hither {
            protocol: Protocol::Plan,
            guard: Guard::Open,
            options: Vec::new(),
        }),
    };
    hither.next().cloned().unwrap_or_else(usual)
}

/// One phase on a server of its own.
pub(super) fn measure(round: &Round<'_>, args: &PlanArgs) -> Result<Outcome, String> {
    let length = Duration::from_secs(args.seconds.into());
    let mut bench = round.start(Program::Lines, Attach::Whole)?;
    let opening = bench.open(args.connections, length.div_f64(3.0))?;
    let mut lines = Lines::new(&opening.ready, args.lines_per_second, length);
    let meter = Meter::start(&bench.running);
    bench.run(&mut lines, length + 2 * GRACE)?;
    let spent = meter.stop();
    let memory = bench.running.usage();
    let (requests, api) = http_api(round, &bench.running.dial)?;
    let waits = lines.waits();
    let mut metrics = latency_metrics(&lines.latencies.summary());
    metrics.push(Metric::plain("lines sent", float(lines.sent()), Unit::Count));
    metrics.push(Metric::plain("lines answered", float(lines.latencies.len()), Unit::Count));
    metrics.push(Metric::plain("messages received", float(waits.messages()), Unit::Count));
    let old = waits.mean().unwrap_or_default().as_secs_f64();
    metrics.push(Metric::plain("old metric", old, Unit::Seconds));
    metrics.extend(memory.map(|usage| Metric::lower("memory", float(usage.pss), Unit::Bytes)));
    metrics.extend(spent.each(lines.sent(), ["server CPU/line", "client CPU/line"]));
    metrics.push(Metric::higher("HTTP requests", requests, Unit::PerSecond));
    metrics.push(Metric::lower("HTTP p99", api.as_secs_f64(), Unit::Seconds));
    let mean = lines.timeline.points(|cell| cell.sum / float(cell.count.max(1)));
    let name = "Mean response over time".to_owned();
    Ok(Outcome {
        metrics,
        series: vec![Series { name, unit: Some(Unit::Seconds), points: mean }],
        damage: lines.damage(),
        attempts: args.connections as u64,
        failures: [opening.failures, lines.failures].concat(),
        latencies: Some(lines.latencies),
    })
}

/// Requests a second and their 99th percentile, with all sessions still there.
fn http_api(round: &Round<'_>, dial: &crate::engine::Dial) -> Result<(f64, Duration), String> {
    let length = Duration::from_secs(2);
    let mut dial = dial.clone();
    dial.protocol = Protocol::Http;
    let mut load = Requests::new(dial.request.clone(), 4, Pace::Closed, Until::Time(length));
    let engine = Engine::new(dial, Arc::clone(&round.interrupted));
    let mut engine = engine.map_err(|error| error.to_string())?;
    engine.run(&mut load, length + 2 * GRACE).map_err(|error| error.to_string())?;
    if let Some(first) = load.failures.first() {
        return Err(format!("{} HTTP requests failed: {first}", load.failures.len()));
    }
    let mut all = Latencies::default();
    load.latencies.iter().for_each(|kind| all.merge(kind));
    Ok((float(all.len()) / length.as_secs_f64(), all.percentile(99.0)))
}
