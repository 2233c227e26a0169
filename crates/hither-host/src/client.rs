//! The gateway's side of the conversation.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::message::{FromHost, ToHost, VERSION};
use crate::peer::Peer;
use crate::socket::{self, Received};
use crate::wire::{WireError, decode_from_host, encode_to_host};
use crate::{Pid, RuntimeDir, StartError, start_detached};

/// A connection to the host, past its greeting.
///
/// Non-blocking: wait for the descriptor to be readable, then call [`HostConnection::try_recv`]
/// until it gives nothing.
#[derive(Debug)]
pub struct HostConnection {
    socket: OwnedFd,
    buffer: Vec<u8>,
    host_pid: u32,
}

/// Why the conversation with the host failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No host serves this directory.
    #[error("no PTY host is running")]
    NotRunning,
    /// The host closed the connection before its greeting.
    #[error("PTY host did not take the connection: it is ending, or has too many")]
    TurnedAway,
    /// The host has ended, or has disconnected us.
    #[error("PTY host closed the connection")]
    Ended,
    /// The host did not answer in time.
    #[error("PTY host did not answer within {0:?}")]
    Timeout(Duration),
    /// The host belongs to somebody else.
    #[error("PTY host runs as user {0}")]
    Foreign(u32),
    /// The host speaks another version.
    #[error(
        "running PTY host speaks version {host}, this program version {own}: end its sessions with the program that started it, then try again"
    )]
    Version {
        /// The host's version.
        host: u16,
        /// The version that it was spoken to in.
        own: u16,
    },
    /// What came is not a message, or what should be sent does not fit.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// None runs, and none could be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The host answered the greeting with something else.
    #[error("PTY host did not greet")]
    Greeting,
    /// The kernel refused something.
    #[error("talking to the PTY host: {0}")]
    Kernel(#[from] io::Error),
}

impl HostConnection {
    /// How long sending and the greeting may take; the host answers within a millisecond.
    const PATIENCE: Duration = Duration::from_secs(5);
    /// How often a host is started in one call. Once is enough unless hosts end as fast as they
    /// start, as they do when others come and go.
    const STARTS: u32 = 50;

    /// Connects to the host of `dir` and greets it; blocks for at most five seconds.
    ///
    /// # Errors
    /// [`ClientError::NotRunning`] when nobody listens, [`ClientError::TurnedAway`] when the host
    /// ended meanwhile, among others.
    pub fn connect(dir: &RuntimeDir) -> Result<Self, ClientError> {
        Self::connect_as(dir, VERSION)
    }

    /// Connects as a program that speaks `version` of the messages.
    ///
    /// # Errors
    /// As [`HostConnection::connect`]; [`ClientError::Version`] when the host speaks another one.
    pub fn connect_as(dir: &RuntimeDir, version: u16) -> Result<Self, ClientError> {
        let socket = match socket::connect(dir) {
            Err(Errno::NOENT | Errno::CONNREFUSED) => return Err(ClientError::NotRunning),
            Err(Errno::AGAIN) => return Err(ClientError::TurnedAway),
            connected => connected.map_err(io::Error::from)?,
        };
        let host = Peer::of(socket.as_fd())?;
        if host.uid != geteuid().as_raw() {
            return Err(ClientError::Foreign(host.uid));
        }
        let mut connection = Self { socket, buffer: socket::buffer(), host_pid: 0 };
        match connection.greet(version) {
            Err(ClientError::Ended) => Err(ClientError::TurnedAway),
            greeted => greeted.map(|()| connection),
        }
    }

    /// Connects to the host of `dir`; starts one with [`start_detached`] when none runs. Blocks for
    /// as long as both may.
    ///
    /// # Errors
    /// As [`HostConnection::connect`], and when no host can be started.
    pub fn connect_or_start<A: AsRef<OsStr>>(
        dir: &RuntimeDir,
        program: &Path,
        args: &[A],
    ) -> Result<Self, ClientError> {
        // A host may end between being found and being connected to, even several times in a row.
        for _ in 0..Self::STARTS {
            match Self::connect(dir) {
                Err(ClientError::NotRunning | ClientError::TurnedAway) => {
                    start_detached(program, args)?;
                }
                connected => return connected,
            }
        }
        Self::connect(dir)
    }

    fn greet(&mut self, own: u16) -> Result<(), ClientError> {
        self.send(&ToHost::<OwnedFd>::Hello { version: own })?;
        let answer = self.recv(Self::PATIENCE)?;
        if let FromHost::Welcome { pid, .. } = answer {
            self.host_pid = pid;
            Ok(())
        } else if let FromHost::WrongVersion { version } = answer {
            Err(ClientError::Version { host: version, own })
        } else {
            Err(ClientError::Greeting)
        }
    }

    /// The host's process number.
    #[must_use]
    pub fn host_pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.host_pid).ok()?)
    }

    /// Sends a message without waiting. False: the host has to read what it was sent before; what it
    /// answers has to be read meanwhile, since it stops listening to who does not read.
    ///
    /// # Errors
    /// As [`HostConnection::send`], but for the waiting.
    pub fn try_send<F: AsFd>(&self, message: &ToHost<F>) -> Result<bool, ClientError> {
        let (bytes, fds) = encode_to_host(message)?;
        let fds = fds.map(|fds| fds.map(AsFd::as_fd));
        match socket::send(self.socket.as_fd(), &bytes, fds) {
            Ok(()) => Ok(true),
            Err(Errno::AGAIN) => Ok(false),
            Err(Errno::PIPE | Errno::CONNRESET) => Err(ClientError::Ended),
            Err(errno) => Err(io::Error::from(errno).into()),
        }
    }

    /// Sends a message; the descriptors in it are duplicated. Blocks, for at most five seconds,
    /// only when the host is far behind.
    ///
    /// # Errors
    /// A message that exceeds a limit is not sent and leaves the connection as it was.
    pub fn send<F: AsFd>(&self, message: &ToHost<F>) -> Result<(), ClientError> {
        let (bytes, fds) = encode_to_host(message)?;
        let fds = fds.map(|fds| fds.map(AsFd::as_fd));
        loop {
            match socket::send(self.socket.as_fd(), &bytes, fds) {
                Ok(()) => return Ok(()),
                Err(Errno::AGAIN) => self.wait(PollFlags::OUT, Self::PATIENCE)?,
                Err(Errno::PIPE | Errno::CONNRESET) => return Err(ClientError::Ended),
                Err(errno) => return Err(io::Error::from(errno).into()),
            }
        }
    }

    /// The next message, or `None` when there is none yet.
    ///
    /// # Errors
    /// Any error means that the connection is of no more use.
    pub fn try_recv(&mut self) -> Result<Option<FromHost>, ClientError> {
        match socket::receive(&self.socket, &mut self.buffer) {
            Ok(Received::Message(len, fds)) => {
                Ok(Some(decode_from_host(&self.buffer[..len], fds)?))
            }
            Ok(Received::Nothing) => Ok(None),
            Ok(Received::End) => Err(ClientError::Ended),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Err(ClientError::Ended),
            Err(error) => Err(error.into()),
        }
    }

    /// The next message, waited for.
    ///
    /// # Errors
    /// [`ClientError::Timeout`] leaves the connection usable; any other does not.
    pub fn recv(&mut self, timeout: Duration) -> Result<FromHost, ClientError> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(message) = self.try_recv()? {
                return Ok(message);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ClientError::Timeout(timeout));
            }
            match self.wait(PollFlags::IN, left) {
                Err(ClientError::Timeout(_)) => return Err(ClientError::Timeout(timeout)),
                waited => waited?,
            }
        }
    }

    fn wait(&self, flags: PollFlags, timeout: Duration) -> Result<(), ClientError> {
        let mut fds = [PollFd::new(&self.socket, flags)];
        let time =
            Timespec::try_from(timeout).map_err(|_| Errno::INVAL).map_err(io::Error::from)?;
        match poll(&mut fds, Some(&time)) {
            Ok(0) => Err(ClientError::Timeout(timeout)),
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(io::Error::from(errno).into()),
        }
    }
}

impl AsFd for HostConnection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
