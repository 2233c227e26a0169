//! The handle between the control plane and the data plane.
//!
//! The HTTP side knows sessions only by [`Sessions`]; the workers know requests only by the types
//! here. A session on another machine would implement the same trait.

mod event_log;

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hither_auth::UserId;
use hither_core::{ExitStatus, Offset, Role, SessionId, Shell, ShellPhase, WindowSize};
use hither_protocol::websocket::CloseCode;
use hither_screen::Screen;
use rustls::ServerConnection;

pub use event_log::{EventCursor, EventId, EventLog, Happened, InvalidEventId, NextEvent};

use crate::pass::Pass;

/// A boxed future, so that [`Sessions`] can be a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Everything the control plane may do with sessions.
///
/// Methods that answer at once read a table that the data plane keeps; the others wait for the
/// worker that owns the session. Dropping a returned future withdraws nothing.
pub trait Sessions: Send + Sync + 'static {
    /// Starts a session and answers when its program runs.
    /// It belongs to `owner`.
    fn create(
        &self,
        owner: UserId,
        new: NewSession,
    ) -> BoxFuture<'_, Result<SessionInfo, CreateError>>;

    /// All sessions, running and exited, oldest first.
    fn list(&self) -> Vec<SessionInfo>;

    /// The session with this id.
    fn find(&self, id: SessionId) -> Option<SessionInfo>;

    /// Types `bytes` after everything typed before; all of them or, with an error, none.
    fn input(&self, id: SessionId, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), SessionError>>;

    /// Sets the window size; it stays until a viewer types or resizes.
    fn resize(&self, id: SessionId, size: WindowSize) -> BoxFuture<'_, Result<(), SessionError>>;

    /// Gives the window size back to the viewers.
    fn reset_size(&self, id: SessionId) -> BoxFuture<'_, Result<(), SessionError>>;

    /// Ends a session for all, or forgets one that has exited; answers when it is out of the list.
    fn close(&self, id: SessionId) -> BoxFuture<'_, Result<(), SessionError>>;

    /// Hands a socket to the worker that owns the session, for good.
    ///
    /// # Errors
    /// When the session is not there or takes no more viewers; the socket is closed then.
    fn attach(&self, connection: Connection) -> Result<(), SessionError>;

    /// Ends the connection of a viewer. It is sent nothing more but what was begun.
    fn send_away(&self, pass: &Pass, code: CloseCode, reason: &'static str);

    /// Sets the most that a viewer may do.
    fn set_role(&self, pass: &Pass, role: Role);

    /// What happened to sessions behind this event, and what happens from now on.
    fn events(&self, behind: Option<EventId>) -> EventCursor;

    /// Output from an offset on, from the present end if there is none: at most 64 KiB. With
    /// [`Patience::Wait`] the answer comes when there is some, or the child has ended.
    fn output(
        &self,
        id: SessionId,
        from: Option<Offset>,
        patience: Patience,
    ) -> BoxFuture<'_, Result<Output, SessionError>>;

    /// The screen as it is, with at most so many lines of scrollback.
    fn look(
        &self,
        id: SessionId,
        scrollback_lines: usize,
    ) -> BoxFuture<'_, Result<Look, SessionError>>;

    /// What the session's shell has said about itself.
    fn shell(&self, id: SessionId) -> Option<Shell>;

    /// Changes title and labels.
    ///
    /// # Errors
    /// When the session is not there or would have too many labels.
    fn amend(&self, id: SessionId, amendment: Amendment) -> Result<SessionInfo, SessionError>;

    /// Sends a signal to the processes in the foreground of the session's terminal.
    fn signal(&self, id: SessionId, signal: Signal) -> BoxFuture<'_, Result<(), SessionError>>;

    /// Counts for the status page.
    fn status(&self) -> ServerStatus;
}

/// A session as the outside sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// Its name.
    pub id: SessionId,
    /// What the program or the creator called it; a text, never markup.
    pub title: String,
    /// Program and arguments as executed.
    pub command: Vec<String>,
    /// Directory it was started in.
    pub cwd: PathBuf,
    /// Present window size.
    pub size: WindowSize,
    /// When it was started.
    pub created: SystemTime,
    /// When it last read input, wrote output or changed size.
    pub updated: SystemTime,
    /// Whether its child still runs.
    pub status: Status,
    /// Number of attached viewers.
    pub viewers: usize,
    /// The user who started it.
    pub owner: UserId,
    /// Bytes of output so far: the offset at which it ends.
    pub output_bytes: u64,
    /// Time between a keystroke and its echo inside of this machine, of the last few that were
    /// timed; `None` when there was none.
    pub echo: Option<Duration>,
    /// Round trip of the network to whoever typed last, if it was measured.
    pub round_trip: Option<Duration>,
    /// What the owner has noted, by name.
    pub labels: BTreeMap<String, String>,
    /// What its shell is doing.
    pub shell: ShellPhase,
    /// Exit code of the last command of its shell.
    pub last_exit: Option<i32>,
    /// Directory that its shell is in, as it says itself.
    pub directory: Option<String>,
}

/// Output of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Offset of the first byte; behind the one that was asked for when that is not kept any more.
    pub from: Offset,
    /// The bytes; empty when there are none yet, or no more.
    pub bytes: Vec<u8>,
    /// The end of all output at that moment.
    pub head: Offset,
    /// How the child ended, when nothing will follow the head.
    pub ended: Option<ExitStatus>,
}

/// Whether output that is not there yet is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// No.
    Now,
    /// Until there is some, or the child has ended.
    Wait,
}

/// The screen of a session at one moment.
#[derive(Debug)]
pub struct Look {
    /// The output up to here has been shown.
    pub offset: Offset,
    /// The screen.
    pub screen: Box<Screen>,
}

/// Changes to a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amendment {
    /// The title to have from now on; `Some(None)` gives it back to the program.
    pub title: Option<Option<String>>,
    /// Labels to set, or with `None` to remove.
    pub labels: BTreeMap<String, Option<String>>,
}

/// A signal that may be sent to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "signal(7) says what they mean")]
pub enum Signal {
    Hup,
    Int,
    Quit,
    Kill,
    Usr1,
    Usr2,
    Term,
    Cont,
    Stop,
    Tstp,
}

impl Signal {
    /// All there are, with their names.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Hup, "HUP"),
        (Self::Int, "INT"),
        (Self::Quit, "QUIT"),
        (Self::Kill, "KILL"),
        (Self::Usr1, "USR1"),
        (Self::Usr2, "USR2"),
        (Self::Term, "TERM"),
        (Self::Cont, "CONT"),
        (Self::Stop, "STOP"),
        (Self::Tstp, "TSTP"),
    ];

    /// The signal of this name, with or without `SIG`, in letters of any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        let name = name.strip_prefix("SIG").unwrap_or(&name);
        Self::ALL.iter().find(|(_, own)| *own == name).map(|&(signal, _)| signal)
    }
}

/// Whether a session's child still runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It runs.
    Running,
    /// It ended like this; history and screen are still there.
    Exited(ExitStatus),
}

/// What a new session shall be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NewSession {
    /// Program and arguments; `None` is the configured default.
    pub command: Option<Vec<String>>,
    /// Directory to start in; `None` is the configured default.
    pub cwd: Option<PathBuf>,
    /// Title until the program sets one; `None` is the program's name.
    pub title: Option<String>,
    /// Labels from the beginning; at most [`LABELS_MAX`].
    pub labels: BTreeMap<String, String>,
    /// Variables of its environment besides those that every session has.
    pub environment: Vec<(String, String)>,
    /// Window size until a viewer sets one; `None` is [`WindowSize::DEFAULT`].
    pub size: Option<WindowSize>,
    /// When it is closed by itself.
    pub life: Life,
    /// What becomes of processes that its child leaves behind; `None` is the configured default.
    pub on_close: Option<OnClose>,
}

/// What becomes of the processes that a session's child leaves behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnClose {
    /// As a terminal does: they are hung up when the child exits, and those that ignore it or have
    /// left the session live on. A session that is closed is ended whole: what is left two
    /// seconds after the hang-up is killed.
    #[default]
    Hup,
    /// However the session ends, they are hung up, and killed two seconds later.
    Kill,
    /// They are left alone; a close ends the child only.
    Keep,
}

/// Most labels of a session.
pub const LABELS_MAX: usize = 16;

/// When a session is closed without being asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Life {
    /// Never; it outlives its viewers.
    #[default]
    Lasting,
    /// When its one viewer goes, as in ttyd.
    WithViewer,
}

/// A socket after the WebSocket handshake, on its way to a worker.
#[derive(Debug)]
pub struct Connection {
    /// The socket, non-blocking, no longer known to any runtime.
    pub socket: Socket,
    /// Bytes of the client that were read behind the handshake; they come first.
    pub read_ahead: Vec<u8>,
    /// What is spoken on it.
    pub protocol: ViewerProtocol,
    /// The session it attaches to.
    pub session: SessionId,
    /// The most this viewer may do; a client can ask for less.
    pub role: Role,
    /// For whom, and how the control plane finds the viewer again. Kept as long as it is attached.
    pub pass: Arc<Pass>,
}

/// A stream socket of either family.
#[derive(Debug)]
pub enum Socket {
    /// From a TCP listener, with `TCP_NODELAY` set.
    Tcp(TcpStream),
    /// The same with TLS on it: the state of the connection behind the handshakes of TLS and
    /// WebSocket. It may hold more of the client's bytes, which come after those read ahead.
    Tls(TcpStream, Box<ServerConnection>),
    /// From the Unix listener, or one end of a socket pair.
    Unix(UnixStream),
}

/// What a viewer's socket speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ViewerProtocol {
    /// `hither.v1` in WebSocket messages; docs/protocol.md.
    Hither,
    /// ttyd's, in WebSocket messages. Its first message (JSON with the window size) has been read.
    Ttyd,
    /// The plan's: raw or JSON text in, raw output out, in WebSocket messages.
    Plan,
    /// No framing at all: raw output out; what comes in is ignored. An observer that ends at the
    /// end of the session or when the other end closes.
    Raw,
}

/// Something that happened to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    /// It was started.
    Created(Box<SessionInfo>),
    /// Its child ended.
    Exited(SessionId, ExitStatus),
    /// It is gone from the list.
    Closed(SessionId),
    /// Its title changed to this.
    Title(SessionId, String),
    /// Its shell has done something; the offset is that behind the mark in the output.
    Shell(SessionId, ShellEvent, Offset),
    /// Its shell has gone to this directory.
    Directory(SessionId, String),
    /// Somebody has changed its labels.
    Amended(Box<SessionInfo>),
}

/// What a shell tells by its marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShellEvent {
    /// It waits for a command.
    Prompt,
    /// It runs a command.
    CommandStart,
    /// The command has ended, with this exit code if the shell said so.
    CommandEnd(Option<i32>),
}

impl SessionEvent {
    /// The session that it is about.
    #[must_use]
    pub fn session(&self) -> SessionId {
        match self {
            Self::Created(info) | Self::Amended(info) => info.id,
            Self::Exited(id, _)
            | Self::Closed(id)
            | Self::Title(id, _)
            | Self::Shell(id, ..)
            | Self::Directory(id, _) => *id,
        }
    }
}

/// Counts of one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerStatus {
    /// Time since the gateway started.
    pub uptime: Duration,
    /// Sessions whose child runs.
    pub sessions_running: usize,
    /// Sessions whose child has ended and that are still listed.
    pub sessions_exited: usize,
    /// Attached viewers of all sessions.
    pub viewers: usize,
    /// Worker threads.
    pub workers: usize,
}

/// Why a session could not be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// No such program, or it may not be executed.
    #[error("program not found or not executable")]
    ProgramNotFound,
    /// No such directory, or it may not be entered.
    #[error("directory not found or not accessible")]
    DirectoryNotFound,
    /// The command is empty, holds a NUL byte or is too long for the kernel.
    #[error("command cannot be executed")]
    InvalidCommand,
    /// A limit is reached.
    #[error("limit of {max} {what} is reached")]
    LimitReached {
        /// What there is too much of, as in `sessions`.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// The system has no more of something.
    #[error("the system has no more {}", .0.what())]
    Exhausted(Resource),
    /// The PTY host does not answer.
    #[error("the PTY host is not available")]
    HostUnavailable,
    /// Anything else; the log has the reason.
    #[error("session could not be started")]
    Failed,
}

/// Something that the system, or the user's share of it, can run out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Pseudo-terminals: `kernel.pty.max`, or the mount option `max` of /dev/pts.
    Terminals,
    /// Processes: `ulimit -u`, or a control group's `pids.max`.
    Processes,
    /// Memory.
    Memory,
    /// Open files: `ulimit -n`, or `fs.file-max`.
    Files,
}

impl Resource {
    /// The word for people.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::Terminals => "terminals",
            Self::Processes => "processes",
            Self::Memory => "memory",
            Self::Files => "open files",
        }
    }

    /// The stable code of the API.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Terminals => "pty_limit",
            Self::Processes => "process_limit",
            Self::Memory => "memory_limit",
            Self::Files => "file_limit",
        }
    }
}

impl CreateError {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ProgramNotFound => "program_not_found",
            Self::DirectoryNotFound => "directory_not_found",
            Self::InvalidCommand => "invalid_command",
            Self::LimitReached { .. } => "limit_reached",
            Self::Exhausted(resource) => resource.code(),
            Self::HostUnavailable => "host_unavailable",
            Self::Failed => "create_failed",
        }
    }
}

/// Why an operation on a session was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// No such session.
    #[error("session not found")]
    NotFound,
    /// Its child has ended.
    #[error("session has exited")]
    Exited,
    /// The program does not read and the input queue is full; nothing of it was taken.
    #[error("program does not read its input and the queue is full")]
    InputFull,
    /// It has as many viewers as it may have.
    #[error("limit of {max} viewers is reached")]
    TooManyViewers {
        /// The limit.
        max: usize,
    },
    /// As many requests as may be wait for its output.
    #[error("limit of {max} requests that wait for output is reached")]
    TooManyWaiting {
        /// The limit.
        max: usize,
    },
    /// It would have more labels than it may have.
    #[error("limit of {max} labels is reached")]
    TooManyLabels {
        /// The limit.
        max: usize,
    },
    /// Nothing of it can be signalled.
    #[error("there is no process to signal")]
    NoProcess,
    /// What runs in it belongs to another user.
    #[error("not permitted to signal these processes")]
    NotPermitted,
    /// The PTY host does not answer.
    #[error("the PTY host is not available")]
    HostUnavailable,
    /// No such viewer in the session.
    #[error("viewer not found")]
    NoViewer,
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Stopping,
}

impl SessionError {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "session_not_found",
            Self::Exited => "session_exited",
            Self::InputFull => "input_full",
            Self::TooManyViewers { .. } => "too_many_viewers",
            Self::TooManyWaiting { .. } => "too_many_waiting",
            Self::TooManyLabels { .. } => "too_many_labels",
            Self::NoProcess => "no_process",
            Self::NotPermitted => "not_permitted",
            Self::HostUnavailable => "host_unavailable",
            Self::NoViewer => "viewer_not_found",
            Self::Stopping => "stopping",
        }
    }
}
