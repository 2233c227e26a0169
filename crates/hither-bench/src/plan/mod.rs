//! The performance plan's own test, phase by phase, against a server that the bench starts.

mod judge;
mod phase;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use crate::args::PlanArgs;
use crate::report::ScenarioReport;
use crate::run::{Session, progress};
use crate::scenario::Round;

/// Runs all phases and judges the shipped defaults.
pub(crate) fn run(args: &PlanArgs, session: &mut Session) -> io::Result<ExitCode> {
    let rounds = args.run.rounds.unwrap_or(1);
    let target = phase::target(&args.run.targets);
    let phases = phase::PHASES;
    let mut report = ScenarioReport {
        name: "plan".to_owned(),
        about: format!(
            "{} connections opened over {} s, then command lines on each ({} a second) for {} s, \
             spoken to as {}; ratios are the effect against the baseline",
            args.connections,
            args.seconds.div_ceil(3),
            args.lines_per_second,
            args.seconds,
            target.name
        ),
        baseline: Some(phases[0].name.to_owned()),
        targets: phases.iter().map(phase::Phase::empty_report).collect(),
    };
    for round in 1..=rounds {
        for (phase, into) in phases.iter().zip(&mut report.targets) {
            if session.is_interrupted() {
                break;
            }
            progress(&format!(
                "plan · round {round} of {rounds} · {} ({})",
                phase.name, phase.what
            ))?;
            let mut setup = session.setup.clone();
            setup.options = phase.options();
            let interrupted = Arc::clone(&session.interrupted);
            let round = Round { setup: &setup, target: &target, interrupted };
            into.rounds.push(phase::measure(&round, args));
        }
    }
    progress("")?;
    let shipped = report.targets.last().cloned().unwrap_or_default();
    session.report.verdicts.extend(judge::verdicts(&shipped));
    session.report.notes.push(judge::effects(&report));
    session.report.notes.extend(judge::old_metric(&shipped, args.lines_per_second));
    session.report.scenarios.push(report);
    session.finish(&args.run)
}
