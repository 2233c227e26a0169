//! The host's place in its runtime directory: one host, found by whoever looks.

use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;

use crate::{HostError, RuntimeDir, socket};

/// A listening socket in a directory that this process has locked for its lifetime.
///
/// Whoever starts or ends a host holds the file `host.lock` meanwhile. So a process that has got it
/// and finds the directory locked can rely on a host that listens.
pub(super) struct Residence {
    dir: RuntimeDir,
    listener: OwnedFd,
    door: OwnedFd,
}

impl Residence {
    /// Takes both locks and makes the socket; waits while another host starts or ends.
    pub(super) fn move_in(dir: RuntimeDir) -> Result<Self, HostError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mode = Mode::RUSR | Mode::WUSR;
        let door = rustix::fs::openat(&dir, RuntimeDir::HOST_LOCK, flags, mode)
            .map_err(HostError::when("opening host.lock"))?;
        flock(&door, FlockOperation::LockExclusive)
            .map_err(HostError::when("locking host.lock"))?;
        match flock(&dir, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => return Err(HostError::AlreadyRunning),
            locked => locked.map_err(HostError::when("locking the runtime directory"))?,
        }
        let listener = socket::listen(&dir).map_err(HostError::when("opening host.sock"))?;
        Ok(Self { dir, listener, door })
    }

    /// Lets others look for a host: this one is ready.
    pub(super) fn open(&self) -> Result<(), HostError> {
        flock(&self.door, FlockOperation::Unlock).map_err(HostError::when("unlocking host.lock"))
    }

    pub(super) fn listener(&self) -> &OwnedFd {
        &self.listener
    }

    /// Gives the place up, unless somebody is at the door or on the way to it; `false` then.
    ///
    /// Who looks for the socket afterwards finds none, and the next host moves in only after that.
    /// Who connected in between is disconnected without a greeting, which it takes for no host.
    pub(super) fn move_out(&self) -> Result<bool, HostError> {
        match flock(&self.door, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => return Ok(false),
            locked => locked.map_err(HostError::when("locking host.lock"))?,
        }
        if self.somebody_waits() {
            self.open()?;
            return Ok(false);
        }
        socket::unlink(&self.dir).map_err(HostError::when("removing host.sock"))?;
        flock(&self.dir, FlockOperation::Unlock)
            .map_err(HostError::when("unlocking the runtime directory"))?;
        Ok(true)
    }

    fn somebody_waits(&self) -> bool {
        let mut fds = [PollFd::new(&self.listener, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }
}
