//! Carries out a command line.

use std::convert::Infallible;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::args::{BenchArgs, Command, RunArgs};
use crate::pin::Pinning;
use crate::report::{
    Host, Report, ScenarioReport, TargetReport, render_html, render_json, render_table,
};
use crate::scenario::{Round, Scenario};
use crate::target::{Setup, Target};
use crate::{child, floor};

/// Measures what `args` ask for, and prints the report.
///
/// `prefix` is what stands between the executable and the bench's own arguments: `["bench"]` for
/// `hither bench`. The bench calls itself again to be a floor or a session program.
///
/// The exit code is 0 when everything was measured and held, 1 when a limit did not hold or a round
/// failed, 2 when nothing could be measured.
#[must_use]
pub fn run(args: &BenchArgs, prefix: &[&str]) -> ExitCode {
    match dispatch(args, prefix) {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to be told when standard error is closed.
            writeln!(io::stderr(), "hither bench: {error}").ok();
            ExitCode::from(2)
        }
    }
}

fn dispatch(args: &BenchArgs, prefix: &[&str]) -> io::Result<ExitCode> {
    if let Some((scenarios, run)) = args.command.scenarios() {
        let mut session = Session::new(run, prefix)?;
        for scenario in &scenarios {
            session.measure(scenario, &run.targets, run.rounds())?;
        }
        return session.finish(run);
    }
    if let Command::Floor { mode, command } = &args.command {
        let never: Infallible = floor::serve(*mode, command.clone())?;
        match never {}
    } else if let Command::Child(program) = &args.command {
        Ok(child::run(*program))
    } else if let Command::Plan(plan) = &args.command {
        crate::plan::run(plan, &mut Session::new(&plan.run, prefix)?)
    } else if let Command::Smoke(smoke) = &args.command {
        crate::budget::run(smoke, &mut Session::new(&smoke.run, prefix)?)
    } else {
        Err(io::Error::other("no such command"))
    }
}

/// One run of the bench: what it has measured so far.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) setup: Setup,
    pub(crate) report: Report,
    pub(crate) interrupted: Arc<AtomicBool>,
}

impl Session {
    pub(crate) fn new(run: &RunArgs, prefix: &[&str]) -> io::Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        // Every wait looks at the flag or is short: ending at once would leave servers behind.
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
        }
        let pinning = Pinning::new()?;
        raise_file_limit()?;
        let own = std::env::current_exe()?;
        let prefix = prefix.iter().map(|word| (*word).to_owned());
        let setup = Setup {
            hither: run.hither.clone().unwrap_or_else(|| own.clone()),
            own_command: std::iter::once(own.to_string_lossy().into_owned())
                .chain(prefix)
                .collect(),
            authorization: run.authorization.clone(),
            link: run.link,
            options: Vec::new(),
            wrapper: Vec::new(),
            pinning,
        };
        let mut notes = vec![pinning.note()];
        notes.extend(run.link.map(|link| format!("Every server was behind a link with {link}.")));
        if run.quick {
            notes.push("Quick: short measurements, few rounds. Not to be published.".to_owned());
        }
        let report = Report {
            command: without_secrets(std::env::args().skip(1)),
            began: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
            host: host(pinning.cpus()),
            notes,
            ..Report::default()
        };
        Ok(Self { setup, report, interrupted })
    }

    /// Whether somebody has pressed Ctrl-C.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Measures a scenario on all targets, which take turns.
    pub(crate) fn measure(
        &mut self,
        scenario: &Scenario,
        targets: &[Target],
        rounds: u32,
    ) -> io::Result<()> {
        let fitting: Vec<&Target> = targets.iter().filter(|target| scenario.fits(target)).collect();
        let names = || fitting.iter().map(|target| target.name.clone());
        let baseline = names()
            .find(|name| ["floor-ws", "floor-http"].contains(&name.as_str()))
            .or_else(|| names().next());
        let mut report = ScenarioReport {
            name: scenario.name(),
            about: scenario.about(),
            baseline,
            targets: names().map(|target| TargetReport { target, rounds: Vec::new() }).collect(),
        };
        for round in 1..=rounds {
            for (target, into) in fitting.iter().zip(&mut report.targets) {
                if self.is_interrupted() {
                    break;
                }
                let name = &target.name;
                progress(&format!("{} · round {round} of {rounds} · {name}", scenario.name()))?;
                let interrupted = Arc::clone(&self.interrupted);
                let outcome = scenario.run(&Round { setup: &self.setup, target, interrupted });
                into.rounds.push(outcome);
            }
        }
        progress("")?;
        if report.targets.iter().any(|target| !target.rounds.is_empty()) {
            self.report.scenarios.push(report);
        }
        Ok(())
    }

    /// Prints the report and writes the files that were asked for.
    pub(crate) fn finish(&mut self, run: &RunArgs) -> io::Result<ExitCode> {
        self.report.interrupted = self.is_interrupted();
        io::stdout().write_all(render_table(&self.report).as_bytes())?;
        write_file(run.json.as_deref(), || render_json(&self.report))?;
        write_file(run.html.as_deref(), || render_html(&self.report))?;
        let mut rounds = self.report.scenarios.iter().flat_map(|scenario| &scenario.targets);
        let failed = rounds.any(|target| target.rounds.iter().any(Result::is_err));
        let held = self.report.verdicts.iter().all(|verdict| verdict.holds);
        Ok(if held && !failed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Allows as many connections as the kernel does; servers inherit it.
fn raise_file_limit() -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?)
}

/// The command line, with stars in place of the value of `--authorization`.
fn without_secrets(words: impl Iterator<Item = String>) -> String {
    let mut is_secret = false;
    let hide = |word: String| {
        if std::mem::replace(&mut is_secret, word == "--authorization") {
            return "***".to_owned();
        }
        match word.split_once('=') {
            Some(("--authorization", _)) => "--authorization=***".to_owned(),
            _ => word,
        }
    };
    words.map(hide).collect::<Vec<_>>().join(" ")
}

/// Says on standard error what is being done, on one line that is written over.
pub(crate) fn progress(what: &str) -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    if rustix::termios::isatty(io::stderr()) {
        write!(stderr, "\r\x1b[K{what}")?;
    } else if !what.is_empty() {
        writeln!(stderr, "{what}")?;
    }
    stderr.flush()
}

fn write_file(path: Option<&Path>, content: impl FnOnce() -> String) -> io::Result<()> {
    let Some(path) = path else { return Ok(()) };
    let named = |error: io::Error| io::Error::other(format!("writing {}: {error}", path.display()));
    std::fs::write(path, content()).map_err(named)
}

fn host(cpus: usize) -> Host {
    let system = rustix::system::uname();
    let read = |path: &str| std::fs::read_to_string(PathBuf::from(path)).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let load = read("/proc/loadavg");
    Host {
        kernel: format!(
            "{} {}",
            system.sysname().to_string_lossy(),
            system.release().to_string_lossy()
        ),
        cpu: model.map_or_else(String::new, |(_, model)| model.trim().to_owned()),
        cpus,
        load: load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_go_into_reports() {
        let shown = |line: &str| without_secrets(line.split(' ').map(str::to_owned));
        assert_eq!(shown("echo --authorization Bearer-x -r 2"), "echo --authorization *** -r 2");
        assert_eq!(shown("echo --authorization=Bearer-x"), "echo --authorization=***");
        assert_eq!(shown("echo -r 2"), "echo -r 2");
    }
}
