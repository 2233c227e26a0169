//! Starting a host that outlives whoever starts it.

#![allow(unsafe_code, reason = "fork(2) has no safe wrapper")]

use std::ffi::{OsStr, c_int};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};

use crate::server::{Server, Tracing};
use crate::{HostError, RuntimeDir};

/// What a detached host writes to its standard output when it listens.
const READY: &str = "ready\n";
/// What it writes when it finds that another one does.
const RUNNING: &str = "running\n";
/// Anything longer than a sentence is cut.
const REPORT_BYTES_MAX: usize = 4096;

/// How a host came to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// This call has started it.
    Now,
    /// It was there, or another process has just started it.
    Before,
}

/// Why no host could be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The program cannot be executed.
    #[error("starting the PTY host: {0}")]
    Program(io::Error),
    /// The host said why it cannot run.
    #[error("PTY host cannot start: {0}")]
    Refused(String),
    /// It did not say anything in time.
    #[error("PTY host did not get ready within {0:?}")]
    Timeout(Duration),
}

/// How long a host may take to listen, or to find that another does.
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts a host and returns when it, or another one in the same directory, is listening.
///
/// `program` with `args` must call [`serve_detached`]. It gets an empty environment, and nothing of
/// the caller stays with it. Of several callers at the same time, exactly one starts a host.
///
/// # Errors
/// When the program cannot be executed, says why it cannot run, or says nothing for ten seconds.
pub fn start_detached<A: AsRef<OsStr>>(
    program: &Path,
    args: impl IntoIterator<Item = A>,
) -> Result<Started, StartError> {
    let mut child = Command::new(program)
        .args(args)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(StartError::Program)?;
    let report = match child.stdout.take() {
        Some(stdout) => read_report(stdout.into()),
        None => Ok(None),
    };
    if !matches!(report, Ok(Some(_))) {
        child.kill().ok();
    }
    child.wait().map_err(StartError::Program)?;
    let report = report.map_err(StartError::Program)?;
    match report.ok_or(StartError::Timeout(PATIENCE))?.as_str() {
        READY => Ok(Started::Now),
        RUNNING => Ok(Started::Before),
        "" => Err(StartError::Refused("it ended without a word".into())),
        refusal => Err(StartError::Refused(refusal.trim_end().into())),
    }
}

/// Everything that comes until the end; `None` if that does not come in time.
fn read_report(pipe: OwnedFd) -> io::Result<Option<String>> {
    let deadline = Instant::now() + PATIENCE;
    let mut pipe = std::fs::File::from(pipe);
    let mut report = Vec::new();
    let mut chunk = [0; 512];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let time = Timespec::try_from(left).map_err(io::Error::other)?;
        let mut fds = [PollFd::new(&pipe, PollFlags::IN)];
        if rustix::io::retry_on_intr(|| poll(&mut fds, Some(&time)))? == 0 {
            return Ok(None);
        }
        let len = pipe.read(&mut chunk)?;
        if len == 0 || report.len() > REPORT_BYTES_MAX {
            return Ok(Some(String::from_utf8_lossy(&report).into_owned()));
        }
        report.extend_from_slice(&chunk[..len]);
    }
}

/// Detaches this process from whoever started it, then serves `dir` as [`crate::serve`] does.
///
/// Call it first in `main`, before there is a thread or an open file: the process continues as a
/// child of a child of itself, in a session of its own, in `/`, with descriptors 0 to 2 on
/// `/dev/null` and no other. One line on the former standard output says how it went.
///
/// # Errors
/// As [`crate::serve`]; that another host runs is none.
pub fn serve_detached(dir: &Path, tracing: Tracing) -> Result<(), HostError> {
    let report = detach().map_err(HostError::when("detaching the host"))?;
    let started =
        RuntimeDir::open(dir).map_err(HostError::from).and_then(|dir| Server::start(dir, tracing));
    let line = match &started {
        Ok(_) => READY.to_owned(),
        Err(HostError::AlreadyRunning) => RUNNING.to_owned(),
        Err(error) => format!("{error}\n"),
    };
    // That nobody listens is no reason not to serve.
    std::fs::File::from(report).write_all(line.as_bytes()).ok();
    match started {
        Err(HostError::AlreadyRunning) => Ok(()),
        started => started?.run(),
    }
}

/// Continues in a grandchild; returns the former standard output.
fn detach() -> io::Result<OwnedFd> {
    fork_and_leave()?;
    rustix::process::setsid()?;
    // Not the leader of the session, so that it can never get a controlling terminal.
    fork_and_leave()?;
    rustix::process::chdir("/")?;
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let report = keep_only_stdout()?;
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(report)
}

/// Returns in the child only.
fn fork_and_leave() -> io::Result<()> {
    // SAFETY: the caller of `serve_detached` vouches that there is no other thread, so the child is
    // a complete copy; the parent ends without running anything more.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(()),
        // SAFETY: as above.
        _ => unsafe { libc::_exit(0) },
    }
}

/// Moves standard output to number 3 and closes everything above.
fn keep_only_stdout() -> io::Result<OwnedFd> {
    const REPORT: c_int = 3;
    let stdout = rustix::stdio::stdout();
    // SAFETY: what has the number 3, or a higher one, was left open by whoever started us: nothing
    // in this process owns it.
    let kept = unsafe {
        libc::dup3(stdout.as_raw_fd(), REPORT, libc::O_CLOEXEC) == REPORT
            && libc::syscall(
                libc::SYS_close_range,
                libc::c_long::from(REPORT + 1),
                libc::c_long::from(c_int::MAX),
                0,
            ) == 0
    };
    if !kept {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the number was made by dup3 above, for this owner.
    Ok(unsafe { OwnedFd::from_raw_fd(REPORT) })
}
