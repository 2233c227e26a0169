//! Handles of processes that cannot be mistaken for another process of the same number.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus, pidfd_open, pidfd_send_signal, waitid,
};

use crate::Pid;

/// A handle of one process; readable (for poll) as soon as the process has ended.
#[derive(Debug)]
pub struct PidFd(OwnedFd);

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// It exited with this code.
    Code(u8),
    /// A signal ended it.
    Signal {
        /// Number of the signal.
        signal: u8,
        /// Whether the kernel wrote a core file.
        core_dumped: bool,
    },
    /// It ended, and nobody could learn how.
    Unknown,
}

impl PidFd {
    /// A handle of the process that has the number `pid` now.
    ///
    /// # Errors
    /// `ESRCH` when there is none.
    pub fn open(pid: Pid) -> io::Result<Self> {
        Ok(Self(pidfd_open(pid, PidfdFlags::empty())?))
    }

    /// Sends a signal to the process.
    ///
    /// # Errors
    /// `ESRCH` when it has ended and has been reaped, `EPERM` when it is not ours.
    pub fn send_signal(&self, signal: Signal) -> io::Result<()> {
        Ok(pidfd_send_signal(&self.0, signal)?)
    }

    /// Whether the process has ended (all its threads); it may still be a zombie.
    ///
    /// # Errors
    /// What the kernel says about poll.
    pub fn has_ended(&self) -> io::Result<bool> {
        let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
        let now = Timespec::default();
        Ok(rustix::io::retry_on_intr(|| poll(&mut fds, Some(&now)))? > 0)
    }

    /// Takes the exit status of an ended child and lets the kernel forget it; `None` while it
    /// lives. Only the parent can do this, once.
    ///
    /// # Errors
    /// `ECHILD` when the process is not our child or was reaped before.
    pub fn reap(&self) -> io::Result<Option<ExitStatus>> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        self.wait_with(options)
    }

    /// Waits until the child has ended and reaps it.
    ///
    /// # Errors
    /// As [`PidFd::reap`].
    pub fn wait(&self) -> io::Result<ExitStatus> {
        let status = self.wait_with(WaitIdOptions::EXITED)?;
        Ok(status.unwrap_or(ExitStatus::Unknown))
    }

    fn wait_with(&self, options: WaitIdOptions) -> io::Result<Option<ExitStatus>> {
        let id = || WaitId::PidFd(self.0.as_fd());
        let status = rustix::io::retry_on_intr(|| waitid(id(), options))?;
        Ok(status.map(|status| ExitStatus::from_wait(&status)))
    }
}

impl AsFd for PidFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// For a descriptor that was handed over; it must be a pidfd.
impl From<OwnedFd> for PidFd {
    fn from(fd: OwnedFd) -> Self {
        Self(fd)
    }
}

impl From<PidFd> for OwnedFd {
    fn from(pidfd: PidFd) -> Self {
        pidfd.0
    }
}

impl ExitStatus {
    fn from_wait(status: &WaitIdStatus) -> Self {
        let byte = |value: Option<i32>| value.and_then(|value| u8::try_from(value & 0xff).ok());
        let core_dumped = status.dumped();
        match (byte(status.exit_status()), byte(status.terminating_signal())) {
            (Some(code), _) => Self::Code(code),
            (None, Some(signal)) => Self::Signal { signal, core_dumped },
            (None, None) => Self::Unknown,
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal { signal, core_dumped: false } => write!(f, "ended by signal {signal}"),
            Self::Signal { signal, core_dumped: true } => {
                write!(f, "ended by signal {signal}, core dumped")
            }
            Self::Unknown => f.write_str("ended in an unknown way"),
        }
    }
}
