//! One round: a server of its own, an engine of its own.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::child::Program;
use crate::engine::{ConnectionId, Engine, Load, Stop};
use crate::loads::Opening;
use crate::report::{Metric, Series, Unit};
use crate::stats::{Latencies, LatencySummary};
use crate::target::{Running, Setup, Target};
use crate::wire::Attach;

/// How long connections may take until their programs are there.
pub(crate) const OPENING_MAX: Duration = Duration::from_secs(60);

/// Where a round takes place.
#[derive(Clone, Debug)]
pub(crate) struct Round<'a> {
    pub(crate) setup: &'a Setup,
    pub(crate) target: &'a Target,
    pub(crate) interrupted: Arc<AtomicBool>,
}

/// A server with an engine on it.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) running: Running,
    pub(crate) engine: Engine,
}

impl Round<'_> {
    /// Starts the server, its sessions running `program`.
    pub(crate) fn start(&self, program: Program, attach: Attach) -> Result<Bench, String> {
        let running = self.setup.start(self.target, program, attach).map_err(|e| e.to_string())?;
        let engine = Engine::new(running.dial.clone(), Arc::clone(&self.interrupted));
        Ok(Bench { engine: engine.map_err(|error| error.to_string())?, running })
    }
}

impl Bench {
    /// Runs a load; an error when somebody presses Ctrl-C.
    pub(crate) fn run(&mut self, load: &mut impl Load, limit: Duration) -> Result<Stop, String> {
        let stop = self.engine.run(load, limit).map_err(|error| error.to_string())?;
        if stop == Stop::Interrupted { Err("interrupted".to_owned()) } else { Ok(stop) }
    }

    /// Opens connections and waits for their programs.
    pub(crate) fn open(&mut self, connections: usize, ramp: Duration) -> Result<Opening, String> {
        let first = self.engine.connections();
        let line = self.running.shell_line.clone();
        let mut opening = Opening::new(first, connections, ramp).typing(line);
        self.run(&mut opening, OPENING_MAX + ramp)?;
        opening.give_up();
        Ok(opening)
    }

    /// Opens connections of which all have to come up.
    pub(crate) fn open_all(&mut self, connections: usize) -> Result<Vec<ConnectionId>, String> {
        let opening = self.open(connections, Duration::ZERO)?;
        match opening.failures.first() {
            None => Ok(opening.ready),
            Some(first) => {
                let failed = opening.failures.len();
                Err(format!("{failed} of {connections} connections failed: {first}"))
            }
        }
    }
}

/// The usual figures of response times.
pub(crate) fn latency_metrics(summary: &LatencySummary) -> Vec<Metric> {
    let seconds = |name, time: Duration| Metric::lower(name, time.as_secs_f64(), Unit::Seconds);
    vec![
        seconds("avg", summary.mean),
        seconds("p50", summary.p50),
        seconds("p95", summary.p95),
        seconds("p99", summary.p99),
        seconds("p99.9", summary.p999),
        seconds("max", summary.max),
    ]
}

/// The response times, when there are any.
pub(crate) fn some(latencies: Latencies) -> Option<Latencies> {
    (!latencies.is_empty()).then_some(latencies)
}

/// A series of seconds.
pub(crate) fn seconds(name: &str, points: Vec<(f64, f64)>) -> Series {
    Series { name: name.to_owned(), unit: Some(Unit::Seconds), points }
}
