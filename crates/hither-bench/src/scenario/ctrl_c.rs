//! From Ctrl-C to the prompt.

use std::time::Duration;

use super::round::Round;
use crate::child::Program;
use crate::loads::Interrupting;
use crate::report::{Metric, Outcome, Unit};
use crate::stats::float;
use crate::wire::Attach;

/// After this the person has closed the window.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn run(
    round: &Round<'_>,
    reads_per_second: Option<f64>,
    after: Duration,
) -> Result<Outcome, String> {
    let mut bench = round.start(Program::Interrupt, Attach::Screen)?;
    bench.engine.dial_mut().reads_per_second = reads_per_second;
    let ids = bench.open_all(1)?;
    let mut load = Interrupting::new(ids[0], after);
    bench.run(&mut load, after + PATIENCE)?;
    let took = load.took.unwrap_or(PATIENCE).as_secs_f64();
    let mut metrics = vec![
        Metric::lower("prompt after", took, Unit::Seconds),
        Metric::lower("bytes in between", float(load.between), Unit::Bytes),
        Metric::plain("bytes before", float(load.before), Unit::Bytes),
    ];
    if let Some(usage) = bench.running.usage() {
        metrics.push(Metric::lower("peak memory", float(usage.peak_rss), Unit::Bytes));
    }
    let missing = load.took.is_none().then(|| format!("no prompt in {} s", PATIENCE.as_secs()));
    let failures = load.failure.or(missing).into_iter().collect();
    Ok(Outcome { metrics, attempts: 1, failures, ..Outcome::default() })
}
