//! From the handshake to the data plane.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use hither_auth::{Forbidden, Principal, Who};
use hither_core::{Role, SessionId};
use hither_protocol::hither::{ErrorCode, ServerFrame, WireError};
use hither_protocol::websocket::{CloseCode, Opcode, append_frame, encode_close};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tracing::debug;

use super::app::App;
use super::handle::{NoAccess, SessionHandle, level};
use super::ttyd;
use super::wire::Wire;
use crate::audit::{Actor, Event};
use crate::pass::PassRequest;
use crate::sessions::{Connection, CreateError, Life, NewSession, SessionError, ViewerProtocol};

/// Time that a client gets to answer a close frame.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);

/// Where a handler leaves a handover for the connection that it was called on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot(Arc<Mutex<Option<Handover>>>);

/// A connection that is about to leave HTTP.
#[derive(Debug)]
pub(crate) struct Handover {
    pub(crate) app: Arc<App>,
    pub(crate) principal: Principal,
    /// Where it comes from; none on a Unix socket.
    pub(crate) address: Option<IpAddr>,
    /// The most that was asked for.
    pub(crate) role: Role,
    pub(crate) on_upgrade: OnUpgrade,
    pub(crate) wanted: Wanted,
}

/// What the client asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) protocol: ViewerProtocol,
    /// `None`: a session of its own. `Some(None)`: a name that no session can have.
    pub(crate) session: Option<Option<SessionId>>,
}

/// Why a connection was not handed over: what its close frame says.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) close: CloseCode,
    pub(crate) error: WireError,
}

/// A connection that has left HTTP.
#[derive(Debug)]
pub(crate) struct Upgraded {
    pub(crate) wire: Wire,
    /// Bytes that were read behind the handshake and not used yet.
    pub(crate) read_ahead: Vec<u8>,
}

impl Slot {
    pub(crate) fn put(&self, handover: Handover) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(handover);
    }

    pub(crate) fn take(&self) -> Option<Handover> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Handover {
    /// Takes the socket out of HTTP and gives it to the session, or says why not and closes.
    pub(crate) async fn run(mut self) {
        let Some(mut upgraded) = take_socket(&mut self.on_upgrade).await else {
            return;
        };
        let found = self.find_or_create(&mut upgraded).await;
        let result = match found {
            Ok(Some(session)) => self.attach(session, upgraded).await,
            Ok(None) => return,
            Err(refusal) => upgraded.refuse(self.wanted.protocol, refusal).await,
        };
        if let Err(error) = result {
            debug!(%error, "handover failed");
        }
    }

    /// The session to attach to; `None` when the client has gone before it said what it wants.
    async fn find_or_create(
        &self,
        upgraded: &mut Upgraded,
    ) -> Result<Option<SessionHandle<'_, level::Read>>, Refusal> {
        let (app, principal) = (&self.app, &self.principal);
        self.check_link()?;
        let named = match self.wanted.session {
            Some(id) => Some(app.session(principal, id.ok_or(NoAccess::NotFound)?, level::Read)?),
            None => None,
        };
        if self.wanted.protocol != ViewerProtocol::Ttyd {
            return Ok(named);
        }
        let Some(size) = ttyd::first_message(upgraded).await? else {
            return Ok(None);
        };
        let Some(session) = named else {
            let new = NewSession { size, life: Life::WithViewer, ..NewSession::default() };
            let created = app.sessions(principal).create(new).await?;
            return Ok(Some(app.session(principal, created.id, level::Read)?));
        };
        if let (Some(size), Ok(writer)) = (size, app.session(principal, session.id(), level::Write))
        {
            match writer.resize(size).await {
                // The screen of a session that has exited is shown at the size it had.
                Ok(()) | Err(SessionError::Exited) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(session))
    }

    /// Whether one more may come by a share link.
    fn check_link(&self) -> Result<(), Refusal> {
        let Who::Link(id) = *self.principal.who() else { return Ok(()) };
        let now = SystemTime::now();
        let max = self.app.auth.with_people(|people| people.share(id, now).map(|s| s.viewers_max));
        let max = max.and_then(|max| usize::try_from(max).ok()).unwrap_or(0);
        if self.app.passes.by_link(id) >= max {
            return Err(SessionError::TooManyViewers { max }.into());
        }
        Ok(())
    }

    async fn attach(
        &self,
        session: SessionHandle<'_, level::Read>,
        upgraded: Upgraded,
    ) -> io::Result<()> {
        let role = session.role(self.role);
        let pass = self.app.passes.issue(PassRequest {
            session: session.id(),
            principal: self.principal.clone(),
            address: self.address,
            protocol: self.wanted.protocol,
            role,
        });
        let attached = session.attach(Connection {
            socket: upgraded.wire.into_socket()?,
            read_ahead: upgraded.read_ahead,
            protocol: self.wanted.protocol,
            session: session.id(),
            role,
            pass: Arc::clone(&pass),
        });
        let Err(error) = attached else {
            let actor = Actor::proven(&self.principal, self.address);
            self.app.note(&actor, &Event::Attached(session.id(), session.held()));
            // Whatever was withdrawn since the handshake was judged without this pass.
            self.app.judge(&pass);
            return Ok(());
        };
        if self.wanted.session.is_none() {
            // Nobody will ever see the session that was made for this connection.
            let sessions = self.app.sessions(&self.principal);
            sessions.withdraw(session.id()).await.map_err(io::Error::other)?;
        }
        Err(io::Error::other(error))
    }
}

/// The socket and what was read ahead; `None` when the client has gone.
async fn take_socket(on_upgrade: &mut OnUpgrade) -> Option<Upgraded> {
    let upgraded = match on_upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => {
            debug!(%error, "client left during the handshake");
            return None;
        }
    };
    let parts = upgraded.downcast::<TokioIo<Wire>>();
    let parts = parts.expect("every connection is served on a Wire");
    Some(Upgraded { wire: parts.io.into_inner(), read_ahead: parts.read_buf.into() })
}

impl Upgraded {
    /// Sends the error and the close frame, and waits until the client has seen them: closing
    /// with unread bytes would reset the connection and take them away.
    async fn refuse(mut self, protocol: ViewerProtocol, refusal: Refusal) -> io::Result<()> {
        let mut frames = Vec::new();
        let close = encode_close(refusal.close, &refusal.error.message);
        if protocol == ViewerProtocol::Hither {
            let mut body = Vec::new();
            ServerFrame::Error(refusal.error).encode(&mut body);
            append_frame(&mut frames, Opcode::Binary, &[&body], None);
        }
        append_frame(&mut frames, Opcode::Close, &[close.as_bytes()], None);
        self.wire.write_all(&frames).await?;
        self.wire.shutdown().await?;
        let mut sink = [0; 4096];
        let gone = async { while matches!(self.wire.read(&mut sink).await, Ok(1..)) {} };
        // A client that keeps talking is cut off.
        timeout(CLOSE_DEADLINE, gone).await.map_err(io::Error::from)
    }
}

impl Refusal {
    /// A refusal with one of the codes of the API.
    pub(crate) fn new(close: CloseCode, code: &str, message: String) -> Self {
        let code = match close {
            CloseCode::SESSION_NOT_FOUND => ErrorCode::SessionNotFound,
            CloseCode::TOO_MANY_VIEWERS => ErrorCode::TooManyViewers,
            CloseCode::FORBIDDEN => ErrorCode::Forbidden,
            _ => ErrorCode::Other(code.to_owned()),
        };
        Self { close, error: WireError { code, message } }
    }
}

impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        let close = match error {
            SessionError::NotFound => CloseCode::SESSION_NOT_FOUND,
            SessionError::Exited => CloseCode::SESSION_CLOSED,
            SessionError::TooManyViewers { .. } => CloseCode::TOO_MANY_VIEWERS,
            SessionError::Stopping => CloseCode::RESTART,
            SessionError::InputFull
            | SessionError::NoViewer
            | SessionError::TooManyWaiting { .. }
            | SessionError::TooManyLabels { .. }
            | SessionError::NoProcess
            | SessionError::NotPermitted
            | SessionError::HostUnavailable => CloseCode::INTERNAL,
        };
        Self::new(close, error.code(), error.to_string())
    }
}

impl From<CreateError> for Refusal {
    fn from(error: CreateError) -> Self {
        Self::new(CloseCode::INTERNAL, error.code(), error.to_string())
    }
}

impl From<Forbidden> for Refusal {
    fn from(forbidden: Forbidden) -> Self {
        Self::new(CloseCode::FORBIDDEN, "forbidden", forbidden.to_string())
    }
}
