//! A viewer's socket.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::io::Errno;
use rustix::net::Shutdown;

use crate::sessions::Socket;

/// Bytes that the kernel may hold unsent for one socket. More would only stand between the viewer
/// and what happens now; it costs no throughput (tcp(7), TCP_NOTSENT_LOWAT).
const UNSENT_BYTES_MAX: u32 = 16 << 10;

/// A connected, non-blocking socket of either family.
#[derive(Debug)]
pub(super) struct Stream(OwnedFd);

impl Stream {
    /// Takes the socket over from the control plane.
    pub(super) fn new(socket: Socket) -> Self {
        match socket {
            Socket::Tcp(tcp) => {
                let socket = socket2::SockRef::from(&tcp);
                if let Err(error) = socket.set_tcp_notsent_lowat(UNSENT_BYTES_MAX) {
                    tracing::debug!(%error, "limiting unsent bytes");
                }
                Self(tcp.into())
            }
            Socket::Unix(unix) => Self(unix.into()),
        }
    }

    /// Wants events: readable, and writable after a write that was not taken whole.
    pub(super) fn register(&self, registry: &Registry, token: Token) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut SourceFd(&self.0.as_raw_fd()), token, interest)
    }

    /// Reads what is there; 0 at the end of the stream.
    #[inline]
    pub(super) fn read(&self, into: &mut [u8]) -> Result<usize, Errno> {
        retry(|| rustix::io::read(&self.0, &mut *into))
    }

    /// Writes what fits of several slices in one call.
    #[inline]
    pub(super) fn write(&self, slices: &[IoSlice<'_>]) -> Result<usize, Errno> {
        retry(|| rustix::io::writev(&self.0, slices))
    }

    /// No more will be written; the peer reads the end of the stream.
    pub(super) fn finish(&self) {
        if let Err(error) = rustix::net::shutdown(self.0.as_fd(), Shutdown::Write) {
            tracing::trace!(%error, "shutting down a socket");
        }
    }
}

/// Repeats a call that a signal interrupted.
#[inline]
fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}
