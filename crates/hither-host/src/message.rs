//! What the gateway and the host say to each other.
//!
//! `F` is a file descriptor: owned where a message is received, anything that lends one where it is
//! sent, and a plain number in the tests of the codec.

use std::ffi::CString;
use std::os::fd::OwnedFd;

use hither_core::{SessionId, WindowSize};
use hither_pty::{ExitStatus, Signal, SpawnError};

/// Version of the messages below; both sides must speak the same.
pub const VERSION: u16 = 1;

/// A message to the host.
///
/// The first on a connection is [`ToHost::Hello`]. Whoever breaks the rules of a message (a second
/// `Hello`, a journal without a claim) is disconnected; what merely cannot be done is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToHost<F = OwnedFd> {
    /// Says which version the sender speaks; answered by `Welcome` or `WrongVersion`.
    Hello {
        /// The sender's [`VERSION`].
        version: u16,
    },
    /// Asks to be the gateway, the one reader of all PTYs; answered by `Claimed` with everything
    /// that is to be adopted, or by `ClaimRefused`. Once per connection.
    Claim,
    /// Starts a session; the claimant only. Answered by `Spawned`, `SpawnFailed` or `SpawnRefused`.
    Spawn(Box<SpawnRequest>),
    /// Signals a session's processes; anybody. Answered by `Signalled` or `Refused`.
    Signal {
        /// The session.
        session: SessionId,
        /// The signal.
        signal: Signal,
        /// Which of its processes.
        target: SignalTarget,
    },
    /// Ends a session: hangs its processes up, kills those that are left after two seconds, all as
    /// its [`OnClose`] says, and forgets it when they have ended; anybody. Answered by `Closed`,
    /// then, or by `Refused`.
    Close {
        /// The session.
        session: SessionId,
    },
    /// Asks for a `Listed` of each session and a `ListEnd`; anybody, one list at a time.
    List,
    /// Leaves a worker's journal for the next gateway, in the place of an older one of this index;
    /// the claimant only. Not answered.
    PutJournal {
        /// Below [`crate::limits::JOURNALS_MAX`].
        index: u16,
        /// The journal.
        fds: JournalFds<F>,
    },
    /// Replaces what is kept with a session for the next gateway; the claimant only. Answered only
    /// when refused.
    SetMeta {
        /// The session.
        session: SessionId,
        /// At most [`crate::limits::META_BYTES_MAX`]; opaque to the host.
        meta: Vec<u8>,
    },
    /// Ends the host: closes every session, starts none, and exits when the last has ended;
    /// anybody. Answered by the `Closed` of each and the end of the connection.
    Stop,
}

/// A session to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpawnRequest {
    /// The sender's number, repeated in the answer.
    pub request: u64,
    /// Name of the session; must be new.
    pub session: SessionId,
    /// File to execute, at most [`crate::limits::PATH_BYTES_MAX`]; not searched.
    pub program: CString,
    /// Arguments, the program's name first; at most [`crate::limits::STRINGS_MAX`].
    pub argv: Vec<CString>,
    /// The whole environment; at most [`crate::limits::STRINGS_MAX`].
    pub env: Vec<CString>,
    /// Working directory, at most [`crate::limits::PATH_BYTES_MAX`].
    pub cwd: CString,
    /// File mode creation mask, at most 0o777.
    pub umask: u16,
    /// Window size to start with.
    pub size: WindowSize,
    /// Bytes of the session's shared memory, 1 to [`crate::limits::MEMORY_BYTES_MAX`].
    pub memory_bytes: u64,
    /// Kept for the next gateway; at most [`crate::limits::META_BYTES_MAX`].
    pub meta: Vec<u8>,
    /// What becomes of processes that outlive the leader.
    pub on_close: OnClose,
}

/// What becomes of the processes of a session that its leader leaves behind.
///
/// The host finds them by their ancestors, by the session of the leader, and by
/// [`SESSION_VARIABLE`] in their environment. One that forks twice, starts a session of its own and
/// forgets its environment is not found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnClose {
    /// As a terminal does: when the leader exits, those that are left in its session are hung up,
    /// and those that ignore this, or have left the session, live on. A session that is closed is
    /// ended whole: hung up, and after a grace of two seconds killed.
    #[default]
    Hup,
    /// All are hung up, and after the grace killed, however the session ends.
    Kill,
    /// They are left alone. Only the leader, and what is in the foreground, is hung up by a close,
    /// and only the leader is killed after the grace.
    Keep,
}

/// Name of the variable in a child's environment that holds the session's name; whoever asks for a
/// session puts it there.
pub const SESSION_VARIABLE: &str = "HITHER_SESSION";

/// Which processes of a session a signal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalTarget {
    /// The program that the session was started with.
    Leader,
    /// That program's process group.
    Group,
    /// The process group in the terminal's foreground.
    Foreground,
}

/// The descriptors of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFds<F = OwnedFd> {
    /// Master side of the PTY.
    pub master: F,
    /// Shared memory (a memfd that can neither shrink nor grow).
    pub memory: F,
    /// Handle of the leader.
    pub pidfd: F,
}

/// The descriptors of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalFds<F = OwnedFd> {
    /// Read end of its pipe.
    pub read_end: F,
    /// Write end of its pipe.
    pub write_end: F,
    /// Its record (a memfd).
    pub memory: F,
}

/// A message from the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromHost<F = OwnedFd> {
    /// The versions match.
    Welcome {
        /// The host's [`VERSION`].
        version: u16,
        /// The host's process number.
        pid: u32,
    },
    /// The versions do not match; the connection ends here.
    WrongVersion {
        /// The host's [`VERSION`].
        version: u16,
    },
    /// The receiver is the gateway; `Adopt` of each session, `Journal` of each journal and
    /// `AdoptEnd` follow. Meanwhile it hears nothing of a session that it has not adopted yet.
    Claimed,
    /// Another process is the gateway and is alive.
    ClaimRefused {
        /// Its process number.
        pid: u32,
    },
    /// A session that the receiver now owns.
    Adopt {
        /// What is known of it.
        session: SessionState,
        /// Its descriptors.
        fds: SessionFds<F>,
    },
    /// A journal that an earlier gateway left.
    Journal {
        /// Its index.
        index: u16,
        /// Its descriptors.
        fds: JournalFds<F>,
    },
    /// Everything has been adopted.
    AdoptEnd,
    /// The session runs.
    Spawned {
        /// Number of the request.
        request: u64,
        /// The session.
        session: SessionId,
        /// Process number of the leader.
        pid: u32,
        /// The session's descriptors.
        fds: SessionFds<F>,
    },
    /// The kernel would not start the session; nothing of it is left.
    SpawnFailed {
        /// Number of the request.
        request: u64,
        /// What failed and why.
        error: SpawnError,
    },
    /// The host would not start the session.
    SpawnRefused {
        /// Number of the request.
        request: u64,
        /// Why.
        reason: Refusal,
    },
    /// The leader of a session has ended; told to the gateway, and to everybody who has sent a
    /// `Signal`, a `Close` or `Stop`.
    Exited {
        /// The session.
        session: SessionId,
        /// How.
        status: ExitStatus,
    },
    /// A session was closed and is forgotten; told to the same as `Exited`.
    Closed {
        /// The session.
        session: SessionId,
    },
    /// The signal was sent.
    Signalled {
        /// The session.
        session: SessionId,
    },
    /// Something about a session cannot be done.
    Refused {
        /// The session.
        session: SessionId,
        /// Why.
        reason: Refusal,
    },
    /// A session, on request.
    Listed(SessionState),
    /// The list is complete.
    ListEnd,
}

/// What the host knows of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionState {
    /// Its name.
    pub session: SessionId,
    /// Process number of its leader.
    pub pid: u32,
    /// When it was started, in milliseconds since 1970.
    pub created_unix_ms: u64,
    /// How far its life has gone.
    pub life: Life,
    /// What the gateway left with it.
    pub meta: Vec<u8>,
}

/// How far the life of a session has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Its leader runs.
    Running,
    /// Its leader has ended.
    Exited(ExitStatus),
    /// It was closed, and its leader has not ended yet.
    Closing,
}

/// Why the host does not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The sender is not the gateway.
    #[error("only the gateway that holds the claim may do this")]
    NotClaimed,
    /// No such session.
    #[error("session not found")]
    UnknownSession,
    /// A session of this name exists.
    #[error("session exists already")]
    DuplicateSession,
    /// The host keeps as many sessions as it can.
    #[error("limit of sessions reached")]
    TooManySessions,
    /// The leader has ended, or nothing holds the foreground.
    #[error("no process to signal")]
    NoProcess,
    /// The processes belong to another user now.
    #[error("not permitted to signal these processes")]
    NotPermitted,
    /// The host is about to end.
    #[error("PTY host is stopping")]
    Stopping,
}

impl<F> SessionFds<F> {
    pub(crate) fn as_array(&self) -> [&F; 3] {
        [&self.master, &self.memory, &self.pidfd]
    }

    pub(crate) fn from_array([master, memory, pidfd]: [F; 3]) -> Self {
        Self { master, memory, pidfd }
    }
}

impl<F> JournalFds<F> {
    pub(crate) fn as_array(&self) -> [&F; 3] {
        [&self.read_end, &self.write_end, &self.memory]
    }

    pub(crate) fn from_array([read_end, write_end, memory]: [F; 3]) -> Self {
        Self { read_end, write_end, memory }
    }
}
