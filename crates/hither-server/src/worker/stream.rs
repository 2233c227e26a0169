//! A viewer's socket.

use std::io::{self, IoSlice};
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::io::Errno;
use rustix::net::Shutdown;

use super::tls_stream::TlsStream;
use crate::sessions::Socket;

/// Bytes that the kernel may hold unsent for one socket. More would only stand between the viewer
/// and what happens now; it costs no throughput (tcp(7), TCP_NOTSENT_LOWAT).
const UNSENT_BYTES_MAX: u32 = 16 << 10;

/// A connected, non-blocking socket.
#[derive(Debug)]
pub(super) enum Stream {
    /// Of either family; what is written to it is what the peer reads.
    Plain(OwnedFd),
    /// TCP with TLS on it.
    Tls(Box<TlsStream>),
}

impl Stream {
    /// Takes the socket over from the control plane.
    pub(super) fn new(socket: Socket) -> Self {
        match socket {
            Socket::Tcp(tcp) => {
                limit_unsent(&tcp);
                Self::Plain(tcp.into())
            }
            Socket::Tls(tcp, state) => {
                limit_unsent(&tcp);
                Self::Tls(Box::new(TlsStream::new(tcp, state)))
            }
            Socket::Unix(unix) => Self::Plain(unix.into()),
        }
    }

    /// Wants events: readable, and writable after a write that was not taken whole.
    pub(super) fn register(&self, registry: &Registry, token: Token) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        let fd = match self {
            Self::Plain(fd) => fd.as_raw_fd(),
            Self::Tls(tls) => tls.as_raw_fd(),
        };
        registry.register(&mut SourceFd(&fd), token, interest)
    }

    /// Reads what is there; 0 at the end of the stream.
    #[inline]
    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize, Errno> {
        match self {
            Self::Plain(fd) => retry(|| rustix::io::read(&*fd, &mut *into)),
            Self::Tls(tls) => tls.read(into),
        }
    }

    /// Whether the last read may have left something that no event will tell of.
    #[inline]
    pub(super) fn has_more(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(tls) => tls.has_more(),
        }
    }

    /// Writes what fits of several slices in one call. What is taken need not be on its way yet:
    /// see [`Self::is_pending`].
    #[inline]
    pub(super) fn write(&mut self, slices: &[IoSlice<'_>]) -> Result<usize, Errno> {
        match self {
            Self::Plain(fd) => retry(|| rustix::io::writev(&*fd, slices)),
            Self::Tls(tls) => tls.write(slices),
        }
    }

    /// Whether something that was taken waits until the socket takes it.
    #[inline]
    pub(super) fn is_pending(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(tls) => tls.is_pending(),
        }
    }

    /// Bytes of memory that what is pending takes at most.
    pub(super) fn held_bytes(&self) -> usize {
        match self {
            Self::Plain(_) => 0,
            Self::Tls(tls) => tls.held_bytes(),
        }
    }

    /// Sends what is pending.
    pub(super) fn flush(&mut self) -> Result<(), Errno> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(tls) => tls.flush(),
        }
    }

    /// No more will be written; the peer reads the end of the stream behind what is pending.
    pub(super) fn finish(&mut self) {
        let finished = match self {
            Self::Plain(fd) => rustix::net::shutdown(fd.as_fd(), Shutdown::Write),
            Self::Tls(tls) => tls.finish(),
        };
        if let Err(error) = finished {
            tracing::trace!(%error, "shutting down a socket");
        }
    }
}

fn limit_unsent(tcp: &TcpStream) {
    if let Err(error) = socket2::SockRef::from(tcp).set_tcp_notsent_lowat(UNSENT_BYTES_MAX) {
        tracing::debug!(%error, "limiting unsent bytes");
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
