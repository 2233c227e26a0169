//! Memory while a slow reader watches endless output.

use std::time::Duration;

use super::round::{Bench, Round};
use crate::child::Program;
use crate::content::GO;
use crate::engine::{ConnectionId, Failure, Load, Wishes};
use crate::loads::Resting;
use crate::report::{Metric, Outcome, Series, Unit};
use crate::stats::{Moment, float};
use crate::wire::Attach;

/// How many times memory is looked at.
const LOOKS: u32 = 20;

pub(super) fn run(
    round: &Round<'_>,
    reads_per_second: f64,
    length: Duration,
) -> Result<Outcome, String> {
    let mut bench = round.start(Program::Flood { bytes: 0 }, Attach::Screen)?;
    bench.engine.dial_mut().reads_per_second = Some(reads_per_second);
    let ids = bench.open_all(1)?;
    let before = memory(&bench)?;
    bench.run(&mut Go(ids[0]), length)?;
    let mut points = Vec::new();
    let mut received = 0;
    let mut failures = Vec::new();
    for look in 1..=LOOKS {
        let mut resting = Resting::closing(Vec::new(), length / LOOKS);
        bench.run(&mut resting, length)?;
        received += resting.received;
        failures.extend(resting.failures);
        let at = (length * look / LOOKS).as_secs_f64();
        points.push((at, memory(&bench)?));
    }
    let most = points.iter().map(|point| point.1).fold(before, f64::max);
    Ok(Outcome {
        metrics: vec![
            Metric::lower("memory before", before, Unit::Bytes),
            Metric::lower("most memory", most, Unit::Bytes),
            Metric::lower("grown by", most - before, Unit::Bytes),
            Metric::plain("read meanwhile", float(received), Unit::Bytes),
        ],
        series: vec![Series { name: "Memory over time".into(), unit: Some(Unit::Bytes), points }],
        attempts: 1,
        failures,
        ..Outcome::default()
    })
}

fn memory(bench: &Bench) -> Result<f64, String> {
    let usage = bench.running.usage().ok_or("the memory of a foreign server is not known")?;
    Ok(float(usage.pss))
}

/// Starts the flood and leaves it to the next load.
#[derive(Debug)]
struct Go(ConnectionId);

impl Load for Go {
    fn handle_start(&mut self, _now: Moment, wishes: &mut Wishes) {
        wishes.type_input(self.0, &[GO]);
    }

    fn handle_output(&mut self, _: ConnectionId, _: Moment, _: &[u8], _: &mut Wishes) {}

    fn handle_end(&mut self, _: ConnectionId, _: Moment, _: &Failure, _: &mut Wishes) {}

    fn is_finished(&self) -> bool {
        true
    }
}
