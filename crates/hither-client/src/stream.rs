//! TCP, TLS on it, and Unix sockets as one.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use crate::handshake::HandshakeError;
use crate::trust::{TlsError, Trust};

/// A connected socket.
///
/// One read with room for a record of TLS (16 KiB) leaves nothing behind that waits in memory while
/// the socket looks empty: rustls takes no more than one record's worth off the socket at a time.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    /// Completes a TLS handshake as a client of the server `name`, which has `limit` for each of its
    /// answers. The socket must block.
    pub(crate) fn secure(
        mut socket: TcpStream,
        name: &str,
        trust: &Trust,
        limit: Duration,
    ) -> Result<Self, HandshakeError> {
        let server = ServerName::try_from(name.to_owned())
            .map_err(|_| TlsError::BadName(name.to_owned()))?;
        let mut connection =
            ClientConnection::new(trust.config(), server).map_err(TlsError::Other)?;
        socket.set_read_timeout(Some(limit))?;
        while connection.is_handshaking() {
            if let Err(error) = connection.complete_io(&mut socket) {
                return Err(match TlsError::of_handshake(&error) {
                    Some(error) => error.into(),
                    // What a blocking socket says when its time is over (socket(7)).
                    None if error.kind() == io::ErrorKind::WouldBlock => {
                        io::Error::from(io::ErrorKind::TimedOut).into()
                    }
                    None => error.into(),
                });
            }
        }
        socket.set_read_timeout(None)?;
        Ok(Self::Tls(Box::new(StreamOwned::new(connection, socket))))
    }

    pub(crate) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.set_nonblocking(nonblocking),
            Self::Unix(socket) => socket.set_nonblocking(nonblocking),
            Self::Tls(stream) => stream.sock.set_nonblocking(nonblocking),
        }
    }

    /// Whether something that was written has not gone to the kernel.
    pub(crate) fn holds_back(&self) -> bool {
        match self {
            Self::Tcp(_) | Self::Unix(_) => false,
            Self::Tls(stream) => stream.conn.wants_write(),
        }
    }

    /// Says that nothing more will be written, so that the end is none that somebody has cut off
    /// (RFC 8446 section 6.1).
    pub(crate) fn say_end(&mut self) {
        if let Self::Tls(stream) = self {
            stream.conn.send_close_notify();
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.read(buffer),
            Self::Unix(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.write(bytes),
            Self::Unix(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(_) | Self::Unix(_) => Ok(()),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(socket) => socket.as_fd(),
            Self::Unix(socket) => socket.as_fd(),
            Self::Tls(stream) => stream.sock.as_fd(),
        }
    }
}
