//! Handles of sessions: the only way from a verified sender to a session.
//!
//! A handle is made by [`App::session`] for one principal and one level, and has only the methods
//! of that level, so an operation that nobody has authorised does not compile. What a principal may
//! not see is not there for it.

use std::marker::PhantomData;

use hither_auth::{Forbidden, Level, Principal, Scope, UserId, authorize};
use hither_core::{Offset, Role, SessionId, Shell, WindowSize};
use hither_protocol::websocket::CloseCode;

use super::app::App;
use super::handover::Refusal;
use super::problem::Problem;
use crate::pass::Pass;
use crate::sessions::{
    Amendment, Connection, CreateError, EventCursor, EventId, Look, NewSession, Output, Patience,
    SessionError, SessionInfo, Sessions, Signal, Status,
};

/// Levels as types.
pub(crate) mod level {
    use hither_auth::Level;

    /// A level that an operation needs.
    pub(crate) trait Needed: Copy {
        /// The same as a value.
        const LEVEL: Level;
    }

    /// A level that may type.
    pub(crate) trait Writes: Needed {}

    /// A level that may close and share.
    pub(crate) trait Owns: Writes {}

    /// [`Level::Read`].
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Read;

    /// [`Level::Write`].
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Write;

    /// [`Level::Own`].
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Own;

    impl Needed for Read {
        const LEVEL: Level = Level::Read;
    }

    impl Needed for Write {
        const LEVEL: Level = Level::Write;
    }

    impl Needed for Own {
        const LEVEL: Level = Level::Own;
    }

    impl Writes for Write {}
    impl Writes for Own {}
    impl Owns for Own {}
}

use level::{Needed, Owns, Writes};

/// One session, for somebody who has at least the level `L` in it.
#[derive(Debug)]
pub(crate) struct SessionHandle<'a, L> {
    sessions: Hidden<'a>,
    info: SessionInfo,
    held: Level,
    level: PhantomData<L>,
}

/// All sessions that a principal may see, and the way to new ones.
#[derive(Debug)]
pub(crate) struct SessionsOf<'a> {
    app: &'a App,
    sessions: Hidden<'a>,
    principal: &'a Principal,
}

/// The sessions themselves.
struct Hidden<'a>(&'a dyn Sessions);

/// Why somebody gets no handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAccess {
    /// There is no such session, or none that the principal may see.
    #[error("session not found")]
    NotFound,
    /// It is there, but this may not be done.
    #[error(transparent)]
    Forbidden(Forbidden),
}

/// Why somebody gets no new session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoSession {
    /// The credential was not made for it.
    #[error(transparent)]
    Forbidden(Forbidden),
    /// It could not be started.
    #[error(transparent)]
    Create(#[from] CreateError),
}

impl App {
    /// The session with this id, for a principal that needs `level` in it.
    ///
    /// # Errors
    /// A session that the principal may not see is not found, as if there were none.
    pub(crate) fn session<L: Needed>(
        &self,
        principal: &Principal,
        id: SessionId,
        _level: L,
    ) -> Result<SessionHandle<'_, L>, NoAccess> {
        let sessions = self.all_sessions();
        let Some(info) = sessions.find(id) else {
            // The scope is asked for first, there or not.
            let scope = L::LEVEL.scope();
            let lacking = NoAccess::Forbidden(Forbidden::Scope(scope));
            let allowed = principal.scopes().allow(scope);
            return Err(if allowed { NoAccess::NotFound } else { lacking });
        };
        let held = self.held_level(principal, &info, L::LEVEL)?;
        Ok(SessionHandle { sessions: Hidden(sessions), info, held, level: PhantomData })
    }

    /// The sessions that a principal may see.
    pub(crate) fn sessions<'a>(&'a self, principal: &'a Principal) -> SessionsOf<'a> {
        SessionsOf { app: self, sessions: Hidden(self.all_sessions()), principal }
    }

    /// The highest level that a principal may use in a session, at least `needed`.
    pub(super) fn held_level(
        &self,
        principal: &Principal,
        info: &SessionInfo,
        needed: Level,
    ) -> Result<Level, NoAccess> {
        let granted = self.auth.granted(principal, info.id);
        let held = authorize(principal, info.owner, granted, needed);
        held.map_err(|forbidden| match forbidden {
            Forbidden::Hidden => NoAccess::NotFound,
            Forbidden::Scope(_) | Forbidden::Level { .. } => NoAccess::Forbidden(forbidden),
        })
    }
}

impl<L: Needed> SessionHandle<'_, L> {
    /// The session's name.
    pub(crate) const fn id(&self) -> SessionId {
        self.info.id
    }

    /// The session as it is now, unless it has gone meanwhile.
    pub(crate) fn info(&self) -> Result<SessionInfo, SessionError> {
        self.sessions.0.find(self.info.id).ok_or(SessionError::NotFound)
    }

    /// What the principal may do in it at most.
    pub(crate) const fn held(&self) -> Level {
        self.held
    }

    /// Output from an offset on, from the present end if there is none.
    pub(crate) async fn output(
        &self,
        from: Option<Offset>,
        patience: Patience,
    ) -> Result<Output, SessionError> {
        self.sessions.0.output(self.info.id, from, patience).await
    }

    /// Where its output ends.
    pub(crate) async fn head(&self) -> Result<Offset, SessionError> {
        Ok(self.output(None, Patience::Now).await?.head)
    }

    /// The screen as it is, with at most so many lines of scrollback.
    pub(crate) async fn look(&self, scrollback_lines: usize) -> Result<Look, SessionError> {
        self.sessions.0.look(self.info.id, scrollback_lines).await
    }

    /// What its shell has said about itself.
    pub(crate) fn shell(&self) -> Result<Shell, SessionError> {
        self.sessions.0.shell(self.info.id).ok_or(SessionError::NotFound)
    }

    /// Hands a socket over. Its role is the lower of the one it has and what the principal may do.
    pub(crate) fn attach(&self, mut connection: Connection) -> Result<(), SessionError> {
        connection.session = self.info.id;
        if !self.held.role().may_type() {
            connection.role = self.held.role();
        }
        self.sessions.0.attach(connection)
    }

    /// The lower of a role and what the principal may do.
    pub(crate) const fn role(&self, wanted: Role) -> Role {
        if self.held.role().may_type() { wanted } else { Role::Observer }
    }
}

impl<L: Writes> SessionHandle<'_, L> {
    /// Types `bytes`, all of them or, with an error, none.
    pub(crate) async fn input(&self, bytes: Vec<u8>) -> Result<(), SessionError> {
        self.sessions.0.input(self.info.id, bytes).await
    }

    /// Sets the window size.
    pub(crate) async fn resize(&self, size: WindowSize) -> Result<(), SessionError> {
        self.sessions.0.resize(self.info.id, size).await
    }

    /// Sends a signal to what is in the foreground of its terminal.
    pub(crate) async fn signal(&self, signal: Signal) -> Result<(), SessionError> {
        self.sessions.0.signal(self.info.id, signal).await
    }

    /// Gives the window size back to the viewers.
    pub(crate) async fn reset_size(&self) -> Result<(), SessionError> {
        self.sessions.0.reset_size(self.info.id).await
    }
}

impl<L: Owns> SessionHandle<'_, L> {
    /// Changes title and labels.
    pub(crate) fn amend(&self, amendment: Amendment) -> Result<SessionInfo, SessionError> {
        self.sessions.0.amend(self.info.id, amendment)
    }

    /// Sends one viewer of it away.
    pub(crate) fn send_away(&self, pass: &Pass, code: CloseCode, reason: &'static str) {
        self.sessions.0.send_away(pass, code, reason);
    }

    /// Ends the session for all, or forgets it when it has exited.
    pub(crate) async fn close(&self) -> Result<(), SessionError> {
        self.sessions.0.close(self.info.id).await
    }
}

impl SessionsOf<'_> {
    /// Those that the principal may read, oldest first.
    pub(crate) fn list(&self) -> Vec<SessionInfo> {
        let mut all = self.sessions.0.list();
        all.retain(|info| self.holds(info, Level::Read));
        all
    }

    /// Whether the principal may read the session with this id.
    pub(crate) fn shows(&self, id: SessionId) -> bool {
        self.sessions.0.find(id).is_some_and(|info| self.holds(&info, Level::Read))
    }

    /// Whether the principal may see every session there is or will be.
    pub(crate) fn shows_all(&self) -> bool {
        self.principal.scopes().allow(Scope::Admin)
    }

    /// What happens to all sessions behind this event, or from now on; the receiver has to leave out
    /// what the principal may not see.
    pub(crate) fn events(&self, behind: Option<EventId>) -> EventCursor {
        self.sessions.0.events(behind)
    }

    /// Starts a session, which is then the principal's.
    pub(crate) async fn create(&self, new: NewSession) -> Result<SessionInfo, NoSession> {
        let lacking = NoSession::Forbidden(Forbidden::Scope(Scope::SessionCreate));
        let owner: Option<UserId> = self.principal.user();
        match owner {
            Some(owner) if self.principal.scopes().allow(Scope::SessionCreate) => {
                Ok(self.sessions.0.create(owner, new).await?)
            }
            _ => Err(lacking),
        }
    }

    /// Ends a session that [`Self::create`] has started and that nobody has seen.
    pub(crate) async fn withdraw(&self, created: SessionId) -> Result<(), SessionError> {
        self.sessions.0.close(created).await
    }

    /// Forgets all sessions that have exited and that the principal may close, and answers how
    /// many there were.
    pub(crate) async fn remove_exited(&self) -> usize {
        let mut removed = 0;
        for info in self.sessions.0.list() {
            let has_exited = info.status != Status::Running;
            if has_exited
                && self.holds(&info, Level::Own)
                && self.sessions.0.close(info.id).await.is_ok()
            {
                removed += 1;
            }
        }
        removed
    }

    fn holds(&self, info: &SessionInfo, needed: Level) -> bool {
        self.app.held_level(self.principal, info, needed).is_ok()
    }
}

impl std::fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

impl From<NoAccess> for Problem {
    fn from(refused: NoAccess) -> Self {
        match refused {
            NoAccess::NotFound => SessionError::NotFound.into(),
            NoAccess::Forbidden(forbidden) => forbidden.into(),
        }
    }
}

impl From<NoAccess> for Refusal {
    fn from(refused: NoAccess) -> Self {
        match refused {
            NoAccess::NotFound => SessionError::NotFound.into(),
            NoAccess::Forbidden(forbidden) => forbidden.into(),
        }
    }
}

impl From<NoSession> for Problem {
    fn from(refused: NoSession) -> Self {
        match refused {
            NoSession::Forbidden(forbidden) => forbidden.into(),
            NoSession::Create(error) => error.into(),
        }
    }
}

impl From<NoSession> for Refusal {
    fn from(refused: NoSession) -> Self {
        match refused {
            NoSession::Forbidden(forbidden) => forbidden.into(),
            NoSession::Create(error) => error.into(),
        }
    }
}
