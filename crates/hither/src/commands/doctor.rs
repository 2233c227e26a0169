//! `hither doctor`: is this machine ready, and if not, what must be changed?

mod kernel;
mod limits;
mod places;

use std::fmt;
use std::path::PathBuf;

use clap::Args;

use super::serve::usual_shell;
use crate::cli::RuntimeDirArgs;
use crate::escape::Escaped;
use crate::failure::{Exit, Failure};
use crate::output;

/// Options of `hither doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Shell to look for [default: $SHELL, else /bin/sh]
    #[arg(long, value_name = "PATH")]
    shell: Option<PathBuf>,
    #[command(flatten)]
    runtime_dir: RuntimeDirArgs,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    verdict: Verdict,
    what: String,
    cure: Option<String>,
}

/// How good it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// As it should be.
    Good,
    /// Hither works, but something is worth knowing.
    Fair,
    /// Hither does not work like this.
    Bad,
}

/// Makes every check, prints a line for each, and fails if one of them is bad.
pub(crate) fn run(args: &DoctorArgs) -> Result<Exit, Failure> {
    let dir = args.runtime_dir.resolve();
    let shell = args.shell.clone().unwrap_or_else(usual_shell);
    let findings = [
        kernel::version(),
        kernel::pty_splice(),
        kernel::memfd(),
        kernel::pidfd(),
        kernel::cgroups(),
        limits::descriptors(),
        limits::ptys(),
        places::runtime_dir(&dir),
        places::shell(&shell),
        places::terminfo(),
        places::user(),
    ];
    let lines: String = findings.iter().map(Finding::to_string).collect();
    let bad = findings.iter().filter(|finding| finding.verdict == Verdict::Bad);
    let (summary, exit) = match bad.count() {
        0 => ("This machine is ready.".to_owned(), Exit::Success),
        1 => ("One thing must be changed.".to_owned(), Exit::Unhealthy),
        count => (format!("{count} things must be changed."), Exit::Unhealthy),
    };
    output::print(&format!("{lines}\n{summary}\n"))?;
    Ok(exit)
}

impl Finding {
    fn good(what: impl Into<String>) -> Self {
        Self { verdict: Verdict::Good, what: what.into(), cure: None }
    }

    fn fair(what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fair, what: what.into(), cure: Some(cure.into()) }
    }

    fn bad(what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { verdict: Verdict::Bad, ..Self::fair(what, cure) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.verdict {
            Verdict::Good => '✓',
            Verdict::Fair => '!',
            Verdict::Bad => '✗',
        };
        writeln!(f, "{mark} {}", Escaped(&self.what))?;
        match &self.cure {
            Some(cure) => writeln!(f, "    → {}", Escaped(cure)),
            None => Ok(()),
        }
    }
}
