//! A storm of connections.

use std::time::Duration;

use super::meter::Meter;
use super::round::{Round, latency_metrics, some};
use crate::child::Program;
use crate::report::{Metric, Outcome, Series, Unit};
use crate::wire::Attach;

pub(super) fn run(round: &Round<'_>, connections: usize) -> Result<Outcome, String> {
    let mut bench = round.start(Program::Idle, Attach::Whole)?;
    let meter = Meter::start(&bench.running);
    let opening = bench.open(connections, Duration::ZERO)?;
    let spent = meter.stop();
    let mut metrics = vec![Metric::lower("all ready", opening.last.as_secs_f64(), Unit::Seconds)];
    metrics.extend(latency_metrics(&opening.latencies.summary()));
    let names = ["server CPU/connection", "client CPU/connection"];
    metrics.extend(spent.each(connections as u64, names));
    let window = opening.timeline.window();
    let points = opening.timeline.points(|cell| cell.sum / window);
    let name = "Programs ready per second".to_owned();
    Ok(Outcome {
        metrics,
        series: vec![Series { name, unit: Some(Unit::PerSecond), points }],
        attempts: connections as u64,
        failures: opening.failures,
        latencies: some(opening.latencies),
        ..Outcome::default()
    })
}
