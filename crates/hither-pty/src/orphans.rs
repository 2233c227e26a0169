//! Processes that lose their parent, for a process that wants to see the last of them.

#![allow(unsafe_code, reason = "signalfd(2) has no safe wrapper")]

use std::ffi::c_long;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use rustix::io::Errno;
use rustix::process::{WaitOptions, WaitStatus, getpid, set_child_subreaper};

use crate::signals::SignalSet;
use crate::{ExitStatus, Pid};

/// Tells when children of this process have ended, its own and those it has inherited.
///
/// While it exists, SIGCHLD is blocked in the thread that has made it.
#[derive(Debug)]
pub struct ChildSignals(OwnedFd);

impl ChildSignals {
    /// Makes this process the parent of every descendant that loses its own
    /// (PR_SET_CHILD_SUBREAPER(2const)), and watches for their ends.
    ///
    /// # Errors
    /// No descriptor left.
    pub fn adopt_orphans() -> io::Result<Self> {
        set_child_subreaper(Some(getpid()))?;
        let set = SignalSet::only(libc::SIGCHLD);
        set.install(None);
        // SAFETY: the kernel reads the eight bytes of the set, and nothing else.
        let fd = unsafe {
            libc::syscall(
                libc::SYS_signalfd4,
                c_long::from(-1),
                ptr::from_ref(&set),
                size_of::<SignalSet>(),
                c_long::from(libc::SFD_CLOEXEC | libc::SFD_NONBLOCK),
            )
        };
        let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0);
        let fd = fd.ok_or_else(io::Error::last_os_error)?;
        // SAFETY: the kernel has made this descriptor for us.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Forgets the signals that have come, so that only the next one makes this readable.
    pub fn clear(&self) {
        // The kernel merges signals that wait, so one read of one record is enough nearly always.
        let mut record = [0; size_of::<libc::signalfd_siginfo>()];
        while matches!(rustix::io::read(&self.0, &mut record), Ok(1..) | Err(Errno::INTR)) {}
    }

    /// Takes the exit status of a child that has ended and lets the kernel forget it; `None` when
    /// there is none.
    #[must_use]
    pub fn reap(&self) -> Option<(Pid, ExitStatus)> {
        let ended = rustix::io::retry_on_intr(|| rustix::process::wait(WaitOptions::NOHANG));
        let (pid, status) = ended.ok().flatten()?;
        Some((pid, exit_status(status)))
    }
}

impl AsFd for ChildSignals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn exit_status(status: WaitStatus) -> ExitStatus {
    /// WCOREFLAG of wait(2).
    const CORE: i32 = 0x80;
    let byte = |value: Option<i32>| value.and_then(|value| u8::try_from(value & 0xff).ok());
    match (byte(status.exit_status()), byte(status.terminating_signal())) {
        (Some(code), _) => ExitStatus::Code(code),
        (None, Some(signal)) => {
            ExitStatus::Signal { signal, core_dumped: status.as_raw() & CORE != 0 }
        }
        (None, None) => ExitStatus::Unknown,
    }
}
