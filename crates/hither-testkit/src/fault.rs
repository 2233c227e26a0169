//! Things that happen to a gateway, drawn by a seed.

use std::io;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};

use crate::random::Random;

/// What happens to a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL.
    Kill,
    /// SIGTERM, which it answers by telling its viewers and ending.
    Terminate,
    /// SIGSTOP, and SIGCONT later.
    Pause(Duration),
    /// It may open no more descriptors for a while (EMFILE).
    NoDescriptors(Duration),
    /// No file may grow for a while: what is written to one fails, as on a full disk, with EFBIG.
    NoSpace(Duration),
    /// SIGUSR2, which it answers by going on as another program.
    Upgrade,
}

/// Which faults a run draws from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// See [`Fault::Kill`].
    Kill,
    /// See [`Fault::Terminate`].
    Terminate,
    /// See [`Fault::Pause`].
    Pause,
    /// See [`Fault::NoDescriptors`].
    NoDescriptors,
    /// See [`Fault::NoSpace`].
    NoSpace,
    /// See [`Fault::Upgrade`].
    Upgrade,
}

impl Fault {
    /// One of `kinds`, for a time of at most `longest`.
    pub fn draw(random: &mut Random, kinds: &[Kind], longest: Duration) -> Self {
        match random.pick(kinds) {
            Kind::Kill => Self::Kill,
            Kind::Terminate => Self::Terminate,
            Kind::Pause => Self::Pause(random.time_below(longest)),
            Kind::NoDescriptors => Self::NoDescriptors(random.time_below(longest)),
            Kind::NoSpace => Self::NoSpace(random.time_below(longest)),
            Kind::Upgrade => Self::Upgrade,
        }
    }

    /// Whether the gateway is gone afterwards.
    #[must_use]
    pub const fn ends(self) -> bool {
        matches!(self, Self::Kill | Self::Terminate)
    }

    /// Does it to a process; `pass` lets time go by.
    ///
    /// # Errors
    /// When the process is not there.
    pub fn strike(self, pid: Pid, pass: impl FnOnce(Duration)) -> io::Result<()> {
        match self {
            Self::Kill => kill_process(pid, Signal::KILL)?,
            Self::Terminate => kill_process(pid, Signal::TERM)?,
            Self::Pause(time) => {
                kill_process(pid, Signal::STOP)?;
                pass(time);
                kill_process(pid, Signal::CONT)?;
            }
            Self::NoDescriptors(time) => starve(pid, Resource::Nofile, || pass(time))?,
            Self::NoSpace(time) => starve(pid, Resource::Fsize, || pass(time))?,
            Self::Upgrade => kill_process(pid, Signal::USR2)?,
        }
        Ok(())
    }
}

/// Gives a process none of something for a while.
fn starve(pid: Pid, resource: Resource, pass: impl FnOnce()) -> io::Result<()> {
    // A child has the hard limit of its parent.
    let none = Rlimit { current: Some(0), maximum: getrlimit(resource).maximum };
    let before = prlimit(Some(pid), resource, none)?;
    pass();
    prlimit(Some(pid), resource, before)?;
    Ok(())
}
