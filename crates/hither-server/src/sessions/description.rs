//! What a session is and shows, to the outside.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hither_auth::UserId;
use hither_core::{ExitStatus, Offset, SessionId, ShellPhase, WindowSize};
use hither_screen::Screen;

/// A session as the outside sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// Its name.
    pub id: SessionId,
    /// What the program or the creator called it; a text, never markup.
    pub title: String,
    /// Program and arguments as executed.
    pub command: Arc<[String]>,
    /// Directory it was started in.
    pub cwd: Arc<Path>,
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

/// Whether a session's child still runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It runs.
    Running,
    /// It ended like this; history and screen are still there.
    Exited(ExitStatus),
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

/// Whether sessions can be started and reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// They can.
    Ready,
    /// The sessions of the last gateway are being taken over.
    Adopting,
    /// There is no PTY host. A new one is started as soon as the system allows.
    HostGone,
}
