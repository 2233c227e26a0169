//! A viewer's socket with TLS on it: records are opened and sealed by the worker itself.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsRawFd, RawFd};

use rustix::io::Errno;
use rustls::ServerConnection;

/// Bytes of output that are sealed at once; they are all that waits when the socket takes no more.
const SEALED_BYTES_MAX: usize = 64 << 10;
/// Reads of the socket for one read of the stream, so that records without content cannot keep
/// the worker busy. Each brings at least 4 KiB, if there is as much.
const READS_MAX: u32 = 32;

/// A TCP socket and the state of the TLS connection on it.
#[derive(Debug)]
pub(super) struct TlsStream {
    tcp: TcpStream,
    tls: Box<ServerConnection>,
    /// The last read may have left something.
    has_more: bool,
    /// The peer has said goodbye.
    ended: bool,
    /// Our goodbye is sealed; after it the socket is closed for writing.
    finishing: bool,
}

impl TlsStream {
    /// Goes on where the control plane stopped.
    pub(super) fn new(tcp: TcpStream, mut tls: Box<ServerConnection>) -> Self {
        tls.set_buffer_limit(Some(SEALED_BYTES_MAX));
        Self { tcp, tls, has_more: false, ended: false, finishing: false }
    }

    pub(super) fn as_raw_fd(&self) -> RawFd {
        self.tcp.as_raw_fd()
    }

    /// Fills `into` as far as the socket has something; 0 at the end of the stream.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize, Errno> {
        let mut len = 0;
        let mut drained = false;
        for _ in 0..READS_MAX {
            self.has_more = true;
            match self.take_opened(&mut into[len..]) {
                Ok(0) => return Ok(len),
                Ok(taken) => len += taken,
                Err(Errno::AGAIN) => {}
                Err(error) => return if len == 0 { Err(error) } else { Ok(len) },
            }
            if len == into.len() {
                return Ok(len);
            }
            if drained {
                self.has_more = self.ended;
                break;
            }
            drained = match self.open_more() {
                Ok(drained) => drained,
                Err(Errno::AGAIN) => true,
                Err(error) => return if len == 0 { Err(error) } else { Ok(len) },
            };
        }
        if len == 0 { Err(Errno::AGAIN) } else { Ok(len) }
    }

    /// Whether the last read may have left something that no event will tell of.
    pub(super) const fn has_more(&self) -> bool {
        self.has_more
    }

    /// Seals what fits and sends as much of it as the socket takes.
    pub(super) fn write(&mut self, slices: &[IoSlice<'_>]) -> Result<usize, Errno> {
        self.flush()?;
        let taken = self.tls.writer().write_vectored(slices).map_err(|error| errno(&error))?;
        match self.flush() {
            Ok(()) | Err(Errno::AGAIN) => Ok(taken),
            Err(error) => Err(error),
        }
    }

    /// Whether sealed bytes wait for the socket.
    pub(super) fn is_pending(&self) -> bool {
        self.tls.wants_write()
    }

    /// Bytes of memory that sealed bytes take at most.
    pub(super) fn held_bytes(&self) -> usize {
        if self.is_pending() { SEALED_BYTES_MAX } else { 0 }
    }

    /// Sends sealed bytes; `AGAIN` when some are left.
    pub(super) fn flush(&mut self) -> Result<(), Errno> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut &self.tcp) {
                Ok(0) => return Err(Errno::PIPE),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(errno(&error)),
            }
        }
        if self.finishing {
            self.finishing = false;
            self.tcp.shutdown(Shutdown::Write).map_err(|error| errno(&error))?;
        }
        Ok(())
    }

    /// Says goodbye (RFC 8446, section 6.1), now or when the socket takes it.
    pub(super) fn finish(&mut self) -> Result<(), Errno> {
        self.tls.send_close_notify();
        self.finishing = true;
        match self.flush() {
            Err(Errno::AGAIN) => Ok(()),
            result => result,
        }
    }

    /// Content that has been opened; 0 at the end of the stream, `AGAIN` when there is none.
    fn take_opened(&mut self, into: &mut [u8]) -> Result<usize, Errno> {
        match self.tls.reader().read(into) {
            Ok(taken) => Ok(taken),
            // The peer closed without a goodbye. What it wanted to say ends with a WebSocket close.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(0),
            Err(error) => Err(errno(&error)),
        }
    }

    /// Opens what one read of the socket brings. True: the socket has no more.
    fn open_more(&mut self) -> Result<bool, Errno> {
        let mut socket = Noting { tcp: &self.tcp, drained: false };
        self.tls.read_tls(&mut socket).map_err(|error| errno(&error))?;
        let drained = socket.drained;
        match self.tls.process_new_packets() {
            Ok(state) => {
                self.ended |= state.peer_has_closed();
                Ok(drained)
            }
            Err(error) => {
                tracing::debug!(%error, "peer violates TLS");
                // The alert that tells the peer why; it may be gone already.
                self.flush().unwrap_or_default();
                Err(Errno::PROTO)
            }
        }
    }
}

/// Notes whether a read took all that the socket had. The end of the stream is not such a read:
/// it is to be found by whoever asks for more.
struct Noting<'a> {
    tcp: &'a TcpStream,
    drained: bool,
}

impl Read for Noting<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.tcp.read(into) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(len) => {
                    self.drained = len > 0 && len < into.len();
                    return Ok(len);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn errno(error: &io::Error) -> Errno {
    if error.kind() == ErrorKind::WouldBlock {
        return Errno::AGAIN;
    }
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}
