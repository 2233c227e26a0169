//! The connection to a PTY host, waited for without holding it.

use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hither_host::HostConnection;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::Interest;
use tokio::net::UnixStream;

#[derive(Debug)]
pub(super) struct Connection {
    /// A duplicate of the connection's descriptor: nothing is read from it, it only wakes.
    ready: UnixStream,
    host: Mutex<HostConnection>,
}

impl Connection {
    pub(super) fn new(host: HostConnection) -> std::io::Result<Self> {
        let duplicate = host.as_fd().try_clone_to_owned()?;
        let ready = UnixStream::from_std(std::os::unix::net::UnixStream::from(duplicate))?;
        Ok(Self { ready, host: Mutex::new(host) })
    }

    pub(super) fn host(&self) -> MutexGuard<'_, HostConnection> {
        self.host.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is something to receive, or an error to be met.
    pub(super) fn has_message(&self) -> bool {
        self.peek().is_ok()
    }

    /// Waits until there may be something to receive. The caller has found nothing just before.
    pub(super) async fn wait(&self) {
        // Forgets what woke it last, unless something has come since.
        let nothing = self.ready.try_io(Interest::READABLE, || self.peek());
        if nothing.is_err() {
            // An error here is met again, and told, by the next call that receives.
            drop(self.ready.readable().await);
        }
    }

    fn peek(&self) -> std::io::Result<()> {
        let mut fds = [PollFd::new(&self.ready, PollFlags::IN)];
        match poll(&mut fds, Some(&Timespec::default()))? {
            0 => Err(ErrorKind::WouldBlock.into()),
            _ => Ok(()),
        }
    }
}
