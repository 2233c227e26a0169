//! Typing and its echo.

use std::time::Duration;

use super::meter::Meter;
use super::round::{Round, latency_metrics, seconds, some};
use crate::child::Program;
use crate::loads::{GRACE, Pace, Typing};
use crate::report::{Metric, Outcome, Unit};
use crate::stats::float;
use crate::wire::Attach;

pub(super) fn run(
    round: &Round<'_>,
    connections: usize,
    pace: Pace,
    length: Duration,
) -> Result<Outcome, String> {
    let mut bench = round.start(Program::Echo, Attach::Whole)?;
    let ids = bench.open_all(connections)?;
    let mut warm_up = Typing::new(&ids, pace, length / 5);
    bench.run(&mut warm_up, length + 2 * GRACE)?;
    let mut typing = Typing::new(&ids, pace, length);
    let meter = Meter::start(&bench.running);
    bench.run(&mut typing, length + 2 * GRACE)?;
    let spent = meter.stop();
    let mut metrics = latency_metrics(&typing.latencies.summary());
    let rate = float(typing.latencies.len()) / typing.length().as_secs_f64();
    metrics.push(match pace {
        Pace::Closed => Metric::higher("keys", rate, Unit::PerSecond),
        Pace::Open(_) => Metric::plain("keys", rate, Unit::PerSecond),
    });
    metrics.extend(spent.each(typing.typed(), ["server CPU/key", "client CPU/key"]));
    let mut damage = typing.damage();
    damage += warm_up.damage();
    let mean = typing.timeline.points(|cell| cell.sum / float(cell.count.max(1)));
    let max = typing.timeline.points(|cell| cell.max);
    Ok(Outcome {
        metrics,
        series: vec![seconds("Mean echo over time", mean), seconds("Slowest echo over time", max)],
        damage,
        attempts: connections as u64,
        failures: [warm_up.failures, typing.failures].concat(),
        latencies: some(typing.latencies),
    })
}
