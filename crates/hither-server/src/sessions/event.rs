//! What happens to sessions.

use hither_core::{ExitStatus, Offset, SessionId};

use super::SessionInfo;

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
