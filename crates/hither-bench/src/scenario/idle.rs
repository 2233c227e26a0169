//! Memory of sessions that do nothing, and whether it comes back.

use std::time::Duration;

use super::round::{Bench, Round};
use crate::child::Program;
use crate::engine::ConnectionId;
use crate::loads::{Ending, Resting};
use crate::report::{Metric, Outcome, Unit};
use crate::stats::float;
use crate::wire::Attach;

/// Connections of each further cycle.
const CYCLE: usize = 100;
/// How long the server has to put everything in order.
const SETTLE: Duration = Duration::from_secs(2);

pub(super) fn run(round: &Round<'_>, sessions: usize, cycles: usize) -> Result<Outcome, String> {
    let mut bench = round.start(Program::Idle, Attach::Whole)?;
    let empty = memory(&bench)?;
    let mut failures = Vec::new();
    let opening = bench.open(sessions, Duration::ZERO)?;
    failures.extend(opening.failures);
    settle(&mut bench, Vec::new())?;
    let full = memory(&bench)?;
    end_sessions(&mut bench, opening.ready)?;
    let after = memory(&bench)?;
    for _ in 0..cycles {
        let opening = bench.open(CYCLE, Duration::ZERO)?;
        failures.extend(opening.failures);
        end_sessions(&mut bench, opening.ready)?;
    }
    let end = memory(&bench)?;
    let each = (full - empty) / float(sessions.max(1) as u64);
    let bytes = |name, value| Metric::lower(name, value, Unit::Bytes);
    Ok(Outcome {
        metrics: vec![
            bytes("empty", empty),
            bytes("with all sessions", full),
            bytes("each session", each),
            bytes("after all are gone", after),
            bytes("after the cycles", end),
            Metric::plain("grown over the first load", end - after, Unit::Bytes),
        ],
        attempts: (sessions + cycles * CYCLE) as u64,
        failures,
        ..Outcome::default()
    })
}

fn memory(bench: &Bench) -> Result<f64, String> {
    let usage = bench.running.usage().ok_or("the memory of a foreign server is not known")?;
    Ok(float(usage.pss))
}

fn settle(bench: &mut Bench, closing: Vec<ConnectionId>) -> Result<(), String> {
    bench.run(&mut Resting::closing(closing, SETTLE), SETTLE * 2).map(drop)
}

/// Closes the connections, and the sessions where they would live on.
fn end_sessions(bench: &mut Bench, ids: Vec<ConnectionId>) -> Result<(), String> {
    // A program that reads the end of its input exits, and its session with it.
    let open = bench.engine.still_open(&ids);
    bench.run(&mut Ending::new(&open), SETTLE * 5)?;
    settle(bench, ids)
}
