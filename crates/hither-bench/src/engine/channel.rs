//! The socket of a connection, with TLS on it where the server speaks it.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

/// Room for what one read of a socket may bring in plain text: rustls takes no more than a record
/// and what it has of the next. What stayed behind would wait unseen while the socket looks empty.
pub(super) const TLS_ROOM: usize = 32 * 1024;

/// A non-blocking socket.
#[derive(Debug)]
pub(super) struct Channel {
    socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

impl Channel {
    /// A channel on a socket that may still be connecting to `server`.
    pub(super) fn new(
        socket: TcpStream,
        server: SocketAddr,
        tls: Option<&Arc<ClientConfig>>,
    ) -> io::Result<Self> {
        let name = ServerName::IpAddress(server.ip().into());
        let begin = |config| ClientConnection::new(Arc::clone(config), name).map(Box::new);
        Ok(Self { socket, tls: tls.map(begin).transpose().map_err(io::Error::other)? })
    }

    pub(super) const fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Whether something that was written has not gone to the kernel.
    pub(super) fn holds_back(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Reads what is there, of TLS a record at most; [`TLS_ROOM`] bytes are room enough. What came may
    /// be TLS's own affair: that is as if nothing had come.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return (&self.socket).read(buffer) };
        // rustls reads 4 KiB at a time: a record takes several.
        loop {
            if tls.read_tls(&mut &self.socket)? == 0 {
                return Ok(0);
            }
            tls.process_new_packets().map_err(io::Error::other)?;
            match tls.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }

    /// Writes what the kernel takes; with TLS, what there is room for until it does.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return (&self.socket).write(bytes) };
        let taken = tls.writer().write(bytes)?;
        self.flush()?;
        if taken == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }

    /// Sends what is held back, as far as the kernel takes it.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        while tls.wants_write() {
            match tls.write_tls(&mut &self.socket) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
