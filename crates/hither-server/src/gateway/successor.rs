//! The program that takes a gateway's place: tried out first, then executed in the same process.
//!
//! The process number stays, so neither a service manager nor a shell notices; and since execve(2)
//! ends every other thread, nothing of the old program can read a PTY when the new one begins to.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::time::timeout;

use super::bequest::{Bequest, BequestError, keep_open};
use super::listen::Kept;

/// Name of the variable by which a program learns that it is a successor.
pub const SUCCESSOR_VARIABLE: &str = "HITHER_SUCCESSOR";
/// Value of it in a trial, whose bequest is on standard input. Otherwise it is the number of the
/// bequest's descriptor.
const TRIAL: &str = "trial";
/// How a successor says, alone on a line, that it could start; its version follows.
const READY: &str = "hither successor is ready, version ";
/// How long a trial may take.
const TRIAL_TIME: Duration = Duration::from_secs(10);
/// What a trial may say; the rest is cut.
const REPORT_BYTES_MAX: u64 = 16 << 10;
/// Most characters of a reason that is passed on.
const REASON_CHARS_MAX: usize = 400;

/// How this process was started, which is how its successor is.
#[derive(Clone, Debug)]
pub struct Program {
    /// File that is executed by an upgrade for which nothing else is said.
    pub path: PathBuf,
    /// Arguments, the program's own name first.
    pub argv: Vec<OsString>,
}

/// How a gateway starts.
#[derive(Debug)]
pub enum Start {
    /// By itself.
    Fresh,
    /// To find out whether it could take the place of a running one.
    Trial(Box<Bequested>),
    /// In the place of one that served in this process until now.
    Succeed(Box<Bequested>),
}

/// What a successor was left; only this crate looks into it.
#[derive(Debug)]
pub struct Bequested(pub(super) Bequest);

/// A program that has shown that it can start.
#[derive(Clone, Debug)]
pub(super) struct Successor {
    path: PathBuf,
    file: Identity,
    pub(super) version: String,
}

/// What tells whether a file is still the one that was tried.
type Identity = (u64, u64, i64, i64, u64);

/// Why a gateway keeps its place.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum UpgradeError {
    #[error("another upgrade is under way")]
    Busy,
    #[error("{} cannot be executed: {cause}", path.display())]
    Unusable { path: PathBuf, cause: String },
    #[error("{} did not get ready within {} s", .0.display(), TRIAL_TIME.as_secs())]
    Hangs(PathBuf),
    #[error("{} cannot take over: {reason}", path.display())]
    Refused { path: PathBuf, reason: String },
    #[error("{} was replaced while it was tried", .0.display())]
    Replaced(PathBuf),
    #[error("preparing the upgrade: {0}")]
    Kernel(String),
}

impl Start {
    /// What the value of [`SUCCESSOR_VARIABLE`] means.
    ///
    /// # Errors
    /// When the value, or what was left, makes no sense to this program.
    pub fn from_variable(value: Option<OsString>) -> Result<Self, BequestError> {
        let Some(value) = value else { return Ok(Self::Fresh) };
        if value == TRIAL {
            let bequest = Bequest::load(io::stdin().lock())?;
            return Ok(Self::Trial(Box::new(Bequested(bequest))));
        }
        match value.to_str().and_then(|number| number.parse().ok()) {
            // A program that this one, or its children, started finds the variable and no
            // descriptor: it is nobody's successor.
            Some(number) => match hither_pty::take_inherited(number) {
                Ok(fd) => {
                    let bequest = Bequest::load(std::fs::File::from(fd))?;
                    Ok(Self::Succeed(Box::new(Bequested(bequest))))
                }
                Err(_) => Ok(Self::Fresh),
            },
            None => Ok(Self::Fresh),
        }
    }
}

/// Says to the gateway that waits for it that this program could start.
pub(super) fn report_ready() -> io::Result<()> {
    use std::io::Write;
    let mut out = io::stdout().lock();
    writeln!(out, "{READY}{}", env!("CARGO_PKG_VERSION"))?;
    out.flush()
}

impl Successor {
    /// Starts `path` as the program that it would be, and waits for its word.
    pub(super) async fn try_out(
        program: Program,
        path: PathBuf,
        bequest: Bequest,
    ) -> Result<Self, UpgradeError> {
        let unusable = |error: io::Error| UpgradeError::Unusable {
            path: path.clone(),
            cause: error.to_string(),
        };
        let file = identity(&path).map_err(unusable)?;
        let stdin = bequest.store().map_err(kernel)?;
        let (reader, writer) = io::pipe().map_err(kernel)?;
        let also = writer.try_clone().map_err(kernel)?;
        let mut command = command(&program, &path);
        command.env(SUCCESSOR_VARIABLE, TRIAL).stdin(stdin).stdout(writer).stderr(also);
        let trial = Trial(command.process_group(0).spawn().map_err(unusable)?);
        // The writing ends that this process holds close with it.
        drop(command);
        let report = read_report(reader.into()).await.map_err(kernel)?;
        drop(trial);
        let report = report.ok_or_else(|| UpgradeError::Hangs(path.clone()))?;
        match report.lines().find_map(|line| line.strip_prefix(READY)) {
            Some(version) => Ok(Self { version: version.to_owned(), path, file }),
            None => Err(UpgradeError::Refused { reason: reason(&report), path }),
        }
    }

    /// Becomes the successor, to which the listeners and what is in `bequest` are left.
    ///
    /// # Errors
    /// When this program is still there.
    pub(super) fn take_place(
        &self,
        program: &Program,
        mut bequest: Bequest,
        listeners: &[Kept],
    ) -> Result<Infallible, UpgradeError> {
        if identity(&self.path).ok() != Some(self.file) {
            return Err(UpgradeError::Replaced(self.path.clone()));
        }
        for listener in listeners {
            let fd = keep_open(&listener.fd).map_err(kernel)?;
            bequest.listeners.push(listener.left(fd));
        }
        let left = bequest.store().map_err(kernel)?;
        let number = keep_open(&left).map_err(kernel)?;
        let mut command = command(program, &self.path);
        command.env(SUCCESSOR_VARIABLE, number.to_string());
        // What comes from here on is for the successor, which lets it through when it listens.
        hither_pty::hold_signals();
        let error = command.exec();
        hither_pty::release_signals();
        Err(UpgradeError::Unusable { path: self.path.clone(), cause: error.to_string() })
    }

    /// The program that runs now, for a successor that could not be executed after all.
    pub(super) fn again() -> io::Result<Self> {
        let path = PathBuf::from("/proc/self/exe");
        Ok(Self { file: identity(&path)?, path, version: env!("CARGO_PKG_VERSION").to_owned() })
    }
}

fn command(program: &Program, path: &Path) -> Command {
    let mut command = Command::new(path);
    if let Some((name, args)) = program.argv.split_first() {
        command.arg0(name).args(args);
    }
    command
}

fn identity(path: &Path) -> io::Result<Identity> {
    let meta: Metadata = std::fs::metadata(path)?;
    Ok((meta.dev(), meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.len()))
}

/// A trial that is under way; it ends with this, and with everything it has started.
struct Trial(Child);

impl Drop for Trial {
    fn drop(&mut self) {
        if let Some(pid) = Pid::from_raw(self.0.id().cast_signed()) {
            // Not reaped yet, so the number is its own. It may have ended by itself.
            kill_process_group(pid, Signal::KILL).ok();
        }
        self.0.wait().ok();
    }
}

/// Everything that a trial says until it ends; `None` if it does not end in time.
async fn read_report(pipe: OwnedFd) -> io::Result<Option<String>> {
    let pipe = pipe::Receiver::from_owned_fd(pipe)?;
    let mut report = Vec::new();
    match timeout(TRIAL_TIME, pipe.take(REPORT_BYTES_MAX).read_to_end(&mut report)).await {
        Err(_) => Ok(None),
        Ok(read) => {
            read?;
            Ok(Some(String::from_utf8_lossy(&report).into_owned()))
        }
    }
}

/// The last thing that a program said, which is why it ended.
fn reason(report: &str) -> String {
    let last = report.lines().map(str::trim).rfind(|line| !line.is_empty());
    match last {
        Some(line) => line.chars().take(REASON_CHARS_MAX).collect(),
        None => "it ended without a word".to_owned(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn kernel(error: io::Error) -> UpgradeError {
    UpgradeError::Kernel(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_the_last_line_and_bounded() {
        assert_eq!(reason("warn: x\nhither: no such port\n\n"), "hither: no such port");
        assert_eq!(reason(" \n"), "it ended without a word");
        assert_eq!(reason(&"x".repeat(10_000)).len(), REASON_CHARS_MAX);
    }

    #[test]
    fn who_was_left_nothing_starts_by_itself() {
        for value in [None, Some("999999"), Some("0"), Some("-1"), Some("nonsense")] {
            let start = Start::from_variable(value.map(OsString::from)).unwrap();
            assert!(matches!(start, Start::Fresh), "{value:?}");
        }
    }
}
