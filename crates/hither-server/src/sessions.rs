//! The handle between the control plane and the data plane.
//!
//! The HTTP side knows sessions only by [`Sessions`]; the workers know requests only by the types
//! here. A session on another machine would implement the same trait.

mod connection;
mod description;
mod error;
mod event;
mod event_log;
mod new_session;
mod signal;

use std::pin::Pin;

use hither_auth::UserId;
use hither_core::{Offset, Role, SessionId, Shell, WindowSize};
use hither_protocol::websocket::CloseCode;

pub use connection::{Connection, Socket, ViewerProtocol};
pub use description::{
    Amendment, Look, Output, Patience, Readiness, ServerStatus, SessionInfo, Status,
};
pub use error::{CreateError, Resource, SessionError};
pub use event::{SessionEvent, ShellEvent};
pub use event_log::{EventCursor, EventId, EventLog, Happened, InvalidEventId, NextEvent};
pub use new_session::{LABELS_MAX, Life, NewSession, OnClose};
pub use signal::Signal;

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

    /// Whether sessions can be started and reached.
    fn readiness(&self) -> Readiness;
}
