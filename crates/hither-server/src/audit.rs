//! What is written down: who did what, when, and from where.
//!
//! The control plane says it here; an [`Audit`] keeps it. Terminal input, secrets and environments
//! are no part of any event.

mod chain;
mod direct;
mod keeper;
mod log;
mod record;
mod verify;

use std::net::IpAddr;

use hither_auth::{Level, Principal, ShareId, TokenId, UserId};
use hither_core::SessionId;

pub use chain::{Checker, Flaw, Head, InvalidHead, RECORD_BYTES_MAX};
pub use direct::Direct;
pub use keeper::Keeper;
pub use log::FILE_BYTES_MAX;
pub use verify::{FLAWS_MAX, Report, check, each_line, files, verify};

use crate::sessions::BoxFuture;

/// Who did something, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The user; none when nobody was proven, or a share link was used.
    pub user: Option<UserId>,
    /// Name to be shown; what was claimed, when nobody was proven.
    pub name: String,
    /// The word for how the actor came in, as `login`; `none` when nobody did.
    pub way: &'static str,
    /// Address at the other end; none on a Unix socket.
    pub address: Option<IpAddr>,
}

/// Something worth writing down.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The gateway has started.
    Started,
    /// The gateway stops, or another program takes its place.
    Stopped,
    /// As many events are missing here, because they came faster than the disk takes them.
    Lost(u64),
    /// Somebody has logged in.
    LoggedIn,
    /// Somebody wanted to; the word is the stable code of the refusal.
    LoginRefused(&'static str),
    /// Somebody has ended a login, or all of them.
    LoggedOut,
    /// A session was started.
    SessionCreated(SessionId),
    /// A session was ended for all.
    SessionClosed(SessionId),
    /// A viewer came, with this level.
    Attached(SessionId, Level),
    /// A viewer was sent away.
    SentAway(SessionId, String),
    /// The level of a viewer, or of a user, in a session was set.
    LevelSet(SessionId, String, Option<Level>),
    /// A share link was made.
    ShareCreated(SessionId, ShareId, Level),
    /// A share link was used.
    ShareUsed(SessionId, ShareId),
    /// A share link was withdrawn.
    ShareRevoked(SessionId, ShareId),
    /// A user of this name was added, changed or removed; the word says which.
    UserChanged(UserId, String, &'static str),
    /// An API token was made for the user of this name.
    TokenCreated(TokenId, String),
    /// An API token was withdrawn.
    TokenRevoked(TokenId),
    /// The credential behind an open connection is good no more.
    Revoked(SessionId),
}

/// The event could not be written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("audit log cannot be written")]
pub struct AuditFailed;

/// Keeps events, in the order of the calls.
pub trait Audit: std::fmt::Debug + Send + Sync + 'static {
    /// Takes down what was done already, or cannot be undone. It is on the disk soon.
    ///
    /// # Errors
    /// When it cannot be kept. Everything goes on all the same.
    fn note(&self, actor: &Actor, event: &Event) -> Result<(), AuditFailed>;

    /// Takes down what is about to be done, and returns when it is on the disk.
    ///
    /// # Errors
    /// When it cannot be kept. It must not be done then.
    fn record(&self, actor: &Actor, event: &Event) -> BoxFuture<'_, Result<(), AuditFailed>>;
}

/// Keeps nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Audit for Silent {
    fn note(&self, _: &Actor, _: &Event) -> Result<(), AuditFailed> {
        Ok(())
    }

    fn record(&self, _: &Actor, _: &Event) -> BoxFuture<'_, Result<(), AuditFailed>> {
        Box::pin(async { Ok(()) })
    }
}

impl Actor {
    /// Somebody who was proven.
    #[must_use]
    pub fn proven(principal: &Principal, address: Option<IpAddr>) -> Self {
        Self {
            user: principal.user(),
            name: principal.name().to_owned(),
            way: principal.way().as_str(),
            address,
        }
    }

    /// The user that the gateway runs as, who changes the store by the command line.
    #[must_use]
    pub fn command_line(name: &str) -> Self {
        let user = Some(UserId::MACHINE);
        Self { user, name: name.to_owned(), way: "command-line", address: None }
    }

    /// The gateway itself.
    pub(crate) fn gateway() -> Self {
        Self { user: None, name: "gateway".to_owned(), way: "none", address: None }
    }

    /// Somebody who only claims a name.
    #[must_use]
    pub fn claimed(name: &str, address: Option<IpAddr>) -> Self {
        Self { user: None, name: name.to_owned(), way: "none", address }
    }
}
