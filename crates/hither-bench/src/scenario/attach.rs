//! From attaching to a complete screen.

use std::sync::Arc;
use std::time::Duration;

use super::round::{Bench, OPENING_MAX, Round, latency_metrics, some};
use crate::child::Program;
use crate::content::flood_lines;
use crate::engine::Engine;
use crate::loads::{Flooding, Opening};
use crate::report::{Metric, Outcome, Unit};
use crate::stats::{Latencies, float};
use crate::wire::Attach;

/// A new viewer is there when it sees the last thing that the program has written: the line that
/// ends the flood, whose number stands in no other line.
const LAST: &str = "999999999999";

pub(super) fn run(round: &Round<'_>, bytes: u64, times: usize) -> Result<Outcome, String> {
    let mut bench = round.start(Program::Flood { bytes }, Attach::Whole)?;
    let ids = bench.open_all(1)?;
    bench.run(&mut Flooding::new(&ids, flood_lines(bytes)), OPENING_MAX)?;
    let session = bench.engine.session(ids[0]).ok_or("the server has not named the session")?;
    let mut latencies = Latencies::default();
    let mut failures = Vec::new();
    let mut received = 0;
    for _ in 0..times {
        let mut viewer = viewer(round, &bench, session.clone())?;
        let mut opening = Opening::until(0, LAST);
        viewer.run(&mut opening, Duration::from_secs(10)).map_err(|error| error.to_string())?;
        opening.give_up();
        received += opening.received;
        latencies.merge(&opening.latencies);
        failures.extend(opening.failures);
    }
    let mut metrics = latency_metrics(&latencies.summary());
    let each = float(received) / float(times.max(1) as u64);
    metrics.push(Metric::lower("bytes each", each, Unit::Bytes));
    let attempts = times as u64;
    let latencies = some(latencies);
    Ok(Outcome { metrics, latencies, attempts, failures, ..Outcome::default() })
}

/// An engine of its own, which attaches to `session` as a browser does.
fn viewer(round: &Round<'_>, bench: &Bench, session: String) -> Result<Engine, String> {
    let mut dial = bench.running.dial.clone();
    dial.session = Some(session);
    dial.attach = Attach::Screen;
    Engine::new(dial, Arc::clone(&round.interrupted)).map_err(|error| error.to_string())
}
