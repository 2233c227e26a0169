//! Typing among floods.

use std::time::Duration;

use super::meter::Meter;
use super::round::{Round, latency_metrics, seconds, some};
use crate::child::Program;
use crate::loads::{Flooding, GRACE, Mixed, Pace, Typing};
use crate::report::{Metric, Outcome, Unit};
use crate::stats::float;
use crate::wire::Attach;

/// `people`: how many type, and how many flood.
pub(super) fn run(
    round: &Round<'_>,
    people: [usize; 2],
    rate: f64,
    length: Duration,
) -> Result<Outcome, String> {
    let [typists, flooders] = people;
    let mut bench = round.start(Program::Choice, Attach::Whole)?;
    let ids = bench.open_all(typists + flooders)?;
    let (typing, flooding) = ids.split_at(typists);
    let mut mixed = Mixed {
        typing: Typing::new(typing, Pace::Open(rate), length),
        flooding: Flooding::new(flooding, u64::MAX),
    };
    let meter = Meter::start(&bench.running);
    bench.run(&mut mixed, length + 2 * GRACE)?;
    let spent = meter.stop();
    let Mixed { typing, flooding } = mixed;
    let mut metrics = latency_metrics(&typing.latencies.summary());
    let took = flooding.took().as_secs_f64().max(1e-9);
    let speed = float(flooding.received()) / took;
    metrics.push(Metric::higher("flood speed", speed, Unit::BytesPerSecond));
    metrics.extend(spent.each_gigabyte(flooding.received()));
    let mean = typing.timeline.points(|cell| cell.sum / float(cell.count.max(1)));
    let mut damage = typing.damage();
    damage += flooding.damage();
    Ok(Outcome {
        metrics,
        series: vec![seconds("Mean echo over time", mean)],
        damage,
        attempts: (typists + flooders) as u64,
        failures: [typing.failures.clone(), flooding.failures].concat(),
        latencies: some(typing.latencies),
    })
}
