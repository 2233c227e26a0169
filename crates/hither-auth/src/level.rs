//! Levels: what somebody may do with one session.

use std::fmt;
use std::str::FromStr;

use hither_core::Role;

use crate::principal::{Principal, Who};
use crate::scope::Scope;
use crate::user::UserId;

/// Most users to whom the owner of one session can give a level.
pub const GRANTS_MAX: usize = 256;

/// What a principal may do with one session. Each level contains those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Watch it.
    Read,
    /// Type into it and resize it.
    Write,
    /// Close it, share it, and decide on the levels of others.
    Own,
    /// The same with sessions of others; every use of it is an admin's.
    Admin,
}

/// A text that is not a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("level must be read, write, own or admin")]
pub struct InvalidLevel;

/// Why a principal may not do something with a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// Its credential was not made for this, whatever the session.
    #[error("credential lacks the scope {0}")]
    Scope(Scope),
    /// It may not even know that there is such a session.
    #[error("session not found")]
    Hidden,
    /// It may see the session, but not do this.
    #[error("this needs the level {needed} in the session, and yours is {held}")]
    Level {
        /// What the operation needs.
        needed: Level,
        /// What the principal has.
        held: Level,
    },
}

impl Level {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Own, Self::Admin];

    /// The word of the API and the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Own => "own",
            Self::Admin => "admin",
        }
    }

    /// What a viewer with this level may do at most.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::Read => Role::Observer,
            Self::Write | Self::Own | Self::Admin => Role::Operator,
        }
    }

    /// The scope that a credential needs to use this level.
    #[must_use]
    pub const fn scope(self) -> Scope {
        match self {
            Self::Read => Scope::SessionRead,
            Self::Write => Scope::SessionWrite,
            Self::Own => Scope::SessionManage,
            Self::Admin => Scope::Admin,
        }
    }
}

/// Decides whether a principal may use `needed` in a session, and answers the highest level that
/// it may use there.
///
/// `owner` is the user who started the session; `granted` is the level that the owner has given to
/// this very principal, if any. The session must exist: of one that does not, the caller says the
/// same as of one that is [`Forbidden::Hidden`].
///
/// # Errors
/// See [`Forbidden`]. The scope comes first, so that its answer says nothing about the session.
pub fn authorize(
    principal: &Principal,
    owner: UserId,
    granted: Option<Level>,
    needed: Level,
) -> Result<Level, Forbidden> {
    let scopes = principal.scopes();
    let scope = needed.scope();
    if !scopes.allow(scope) {
        return Err(Forbidden::Scope(scope));
    }
    let relation = match principal.who() {
        _ if scopes.allow(Scope::Admin) && *principal.who() != Who::User(owner) => {
            Some(Level::Admin)
        }
        Who::User(user) if *user == owner => Some(Level::Own),
        // What is granted can be shared on by nobody but the owner.
        Who::User(_) | Who::Link(_) => granted.map(|level| level.min(Level::Write)),
    };
    let usable = |level: &Level| relation.is_some_and(|held| *level <= held);
    let usable = Level::ALL.into_iter().filter(usable);
    let held = usable.filter(|level| scopes.allow(level.scope())).max();
    let held = held.ok_or(Forbidden::Hidden)?;
    if held < needed { Err(Forbidden::Level { needed, held }) } else { Ok(held) }
}

impl FromStr for Level {
    type Err = InvalidLevel;

    fn from_str(text: &str) -> Result<Self, InvalidLevel> {
        Self::ALL.into_iter().find(|level| level.as_str() == text).ok_or(InvalidLevel)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
#[path = "level_tests.rs"]
mod tests;
