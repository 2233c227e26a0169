//! The last words of a program that exits at once.

use std::time::Duration;

use super::round::Round;
use crate::child::Program;
use crate::content::{Damage, flood_lines};
use crate::loads::Flooding;
use crate::report::{Metric, Outcome, Unit};
use crate::stats::float;
use crate::wire::Attach;

/// How long the last byte may take.
const LAST_WORDS_MAX: Duration = Duration::from_secs(10);

pub(super) fn run(round: &Round<'_>, bytes: u64, times: usize) -> Result<Outcome, String> {
    let mut bench = round.start(Program::Tail { bytes }, Attach::Whole)?;
    let mut damage = Damage::default();
    let mut whole = 0;
    let mut failures = Vec::new();
    for _ in 0..times {
        let ids = bench.open_all(1)?;
        let mut flooding = Flooding::new(&ids, flood_lines(bytes));
        bench.run(&mut flooding, LAST_WORDS_MAX)?;
        let lost = flooding.damage();
        if lost.is_none() {
            whole += 1;
        } else {
            failures.push(format!("{} bytes lost at the end", lost.lost));
        }
        damage += lost;
    }
    Ok(Outcome {
        metrics: vec![
            Metric::higher("whole", float(whole), Unit::Count),
            Metric::plain("of", float(times as u64), Unit::Count),
        ],
        damage,
        attempts: times as u64,
        failures,
        ..Outcome::default()
    })
}
