//! Counting instructions: callgrind runs the server, once with the work and once without.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::file::{InstructionLimit, Work};
use crate::child::Program;
use crate::content::{Damage, flood_lines};
use crate::engine::ConnectionId;
use crate::loads::{Flooding, GRACE, Pace, Typing};
use crate::run::{Session, progress};
use crate::scenario::{Bench, Round};
use crate::stats::float;
use crate::target::Target;
use crate::wire::Attach;

/// The output of the larger run, in mebibytes.
const MEBIBYTES: u64 = 8;
/// How long the keys of the larger run are typed.
const TYPING: Duration = Duration::from_secs(4);

/// Instructions in user space for each piece of work, in the process that `serve` starts.
///
/// The count of a run without work is taken off, so that starting and stopping do not matter. It
/// does not depend on how busy the machine is, but for how often the server wakes up.
pub(crate) fn count(session: &Session, limit: &InstructionLimit) -> Result<f64, String> {
    progress(&format!("instructions each {}", limit.each.name()))
        .map_err(|error| error.to_string())?;
    let target: Target = limit.target.parse().map_err(|_| "no such target")?;
    let without = measure(session, &target, limit.each, false)?;
    let with = measure(session, &target, limit.each, true)?;
    Ok((float(with.0) - float(without.0)) / float(with.1.max(1)))
}

/// Instructions, and pieces of work done.
fn measure(
    session: &Session,
    target: &Target,
    work: Work,
    do_it: bool,
) -> Result<(u64, u64), String> {
    let dir = std::env::temp_dir().join(format!("hither-bench-callgrind-{}", std::process::id()));
    DirBuilder::new().mode(0o700).create(&dir).map_err(|error| error.to_string())?;
    let done = run(session, target, work, do_it, &dir);
    let instructions = total(&dir);
    // What cannot be removed from the temporary directory harms nobody.
    fs::remove_dir_all(&dir).ok();
    let done = done?;
    match instructions {
        0 => Err("valgrind has counted nothing (is it installed?)".to_owned()),
        instructions => Ok((instructions, done)),
    }
}

fn run(
    session: &Session,
    target: &Target,
    work: Work,
    do_it: bool,
    dir: &Path,
) -> Result<u64, String> {
    let mut setup = session.setup.clone();
    let out = format!("--callgrind-out-file={}/%p.out", dir.display());
    setup.wrapper = vec!["valgrind".to_owned(), "--tool=callgrind".to_owned(), out];
    let interrupted = Arc::clone(&session.interrupted);
    let round = Round { setup: &setup, target, interrupted };
    let bytes = MEBIBYTES << 20;
    let program = match work {
        Work::Keystroke => Program::Echo,
        Work::Mebibyte => Program::Flood { bytes },
    };
    let mut bench = round.start(program, Attach::Whole)?;
    let ids = bench.open_all(1)?;
    match (do_it, work) {
        (false, _) => Ok(0),
        (true, Work::Keystroke) => type_keys(&mut bench, &ids),
        (true, Work::Mebibyte) => {
            let mut flooding = Flooding::new(&ids, flood_lines(bytes));
            bench.run(&mut flooding, Duration::from_secs(60))?;
            whole(flooding.damage(), &flooding.failures)?;
            Ok(flooding.received() >> 20)
        }
    }
}

fn type_keys(bench: &mut Bench, ids: &[ConnectionId]) -> Result<u64, String> {
    let mut typing = Typing::new(ids, Pace::Closed, TYPING);
    bench.run(&mut typing, TYPING + 2 * GRACE)?;
    whole(typing.damage(), &typing.failures)?;
    Ok(typing.typed())
}

/// Work that was done only in part is not counted.
fn whole(damage: Damage, failures: &[String]) -> Result<(), String> {
    match failures.first() {
        Some(why) => Err(why.clone()),
        None if damage.is_none() => Ok(()),
        None => Err(format!("{} pieces were damaged under valgrind", damage.total())),
    }
}

/// The sum over all files that callgrind has left.
fn total(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    let texts = entries.filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok());
    texts.filter_map(|text| instructions(&text)).sum()
}

/// The count of one of callgrind's files: its `totals:`, or `summary:` of older versions.
fn instructions(text: &str) -> Option<u64> {
    let find = |key: &str| text.lines().rev().find_map(|line| line.strip_prefix(key));
    let rest = find("totals: ").or_else(|| find("summary: "))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_callgrinds_totals() {
        let text = "version: 1\nevents: Ir\nsummary: 12\n\nfn=(1) main\n1 2\n\ntotals: 345\n";
        assert_eq!(instructions(text), Some(345));
        assert_eq!(instructions("events: Ir\nsummary: 12\n"), Some(12));
        assert_eq!(instructions("nothing"), None);
    }
}
