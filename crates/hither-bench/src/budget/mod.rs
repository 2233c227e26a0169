//! The regression guard: ratios with the floor of the same run, and instruction counts, against a
//! budget that is checked in.

mod callgrind;
mod file;
mod judge;

use std::io;
use std::process::ExitCode;

use crate::args::SmokeArgs;
use crate::run::Session;
use file::Budget;

/// Measures what the budget names and compares.
pub(crate) fn run(args: &SmokeArgs, session: &mut Session) -> io::Result<ExitCode> {
    let text = std::fs::read_to_string(&args.budget)
        .map_err(|error| io::Error::other(format!("reading {}: {error}", args.budget.display())))?;
    let budget = Budget::parse(&text)
        .map_err(|error| io::Error::other(format!("{}: {error}", args.budget.display())))?;
    let rounds = args.run.rounds.unwrap_or(budget.rounds);
    for (scenario, targets) in budget.measurements() {
        session.measure(&scenario, &targets, rounds)?;
    }
    let verdicts = judge::ratios(&budget, &session.report.scenarios);
    session.report.verdicts.extend(verdicts);
    for limit in &budget.instructions {
        if session.is_interrupted() {
            break;
        }
        let count = callgrind::count(session, limit);
        session.report.verdicts.push(judge::instructions(limit, count));
    }
    session.finish(&args.run)
}
