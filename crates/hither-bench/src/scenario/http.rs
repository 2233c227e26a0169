//! The HTTP API.

use std::sync::Arc;
use std::time::Duration;

use super::meter::Meter;
use super::round::{OPENING_MAX, Round, some};
use crate::child::Program;
use crate::engine::{Dial, Engine};
use crate::loads::{GRACE, Pace, RequestKind, Requests, Until};
use crate::report::{Metric, Outcome, Unit};
use crate::stats::{Latencies, float};
use crate::wire::{Attach, Protocol};

/// How much is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking {
    /// Clients.
    pub(crate) connections: usize,
    /// Sessions that are there already.
    pub(crate) sessions: usize,
    /// The rate is that of all clients together.
    pub(crate) pace: Pace,
    pub(crate) length: Duration,
}

pub(super) fn run(round: &Round<'_>, asking: Asking) -> Result<Outcome, String> {
    let Asking { connections, sessions, pace, length } = asking;
    let bench = round.start(Program::Idle, Attach::Whole)?;
    let mut dial = bench.running.dial.clone();
    dial.protocol = Protocol::Http;
    fill(round, &dial, connections, sessions)?;
    let mut load = Requests::new(dial.request.clone(), connections, pace, Until::Time(length));
    let engine = Engine::new(dial, Arc::clone(&round.interrupted));
    let mut engine = engine.map_err(|error| error.to_string())?;
    let meter = Meter::start(&bench.running);
    engine.run(&mut load, length + 2 * GRACE).map_err(|error| error.to_string())?;
    let spent = meter.stop();
    let mut all = Latencies::default();
    load.latencies.iter().for_each(|kind| all.merge(kind));
    let rate = float(all.len()) / length.as_secs_f64();
    let mut metrics = vec![Metric::higher("requests", rate, Unit::PerSecond)];
    for (kind, latencies) in RequestKind::ALL.into_iter().zip(&load.latencies) {
        let summary = latencies.summary();
        let [avg, p50, p99] = kind.metrics();
        metrics.push(Metric::lower(avg, summary.mean.as_secs_f64(), Unit::Seconds));
        metrics.push(Metric::lower(p50, summary.p50.as_secs_f64(), Unit::Seconds));
        metrics.push(Metric::lower(p99, summary.p99.as_secs_f64(), Unit::Seconds));
    }
    metrics.extend(spent.each(all.len(), ["server CPU/request", "client CPU/request"]));
    let attempts = all.len() + load.failures.len() as u64;
    Ok(Outcome {
        metrics,
        attempts,
        failures: load.failures,
        latencies: some(all),
        ..Outcome::default()
    })
}

/// Makes the sessions that are there before.
fn fill(round: &Round<'_>, dial: &Dial, connections: usize, sessions: usize) -> Result<(), String> {
    let until = Until::Made(sessions);
    let mut load = Requests::new(dial.request.clone(), connections, Pace::Closed, until);
    let engine = Engine::new(dial.clone(), Arc::clone(&round.interrupted));
    let run = engine.and_then(|mut engine| engine.run(&mut load, OPENING_MAX));
    run.map_err(|error| error.to_string())?;
    match load.failures.first() {
        Some(failure) => Err(format!("the sessions before cannot be made: {failure}")),
        None => Ok(()),
    }
}
