//! Share links: a way into one session, for people without an account.

use std::time::{Duration, SystemTime};

use hither_core::SessionId;

use crate::level::Level;
use crate::principal::{Principal, ShareId, Way, Who};
use crate::scope::{Scope, Scopes};
use crate::secret::Digest;
use crate::user::UserId;

/// How long a share link is good when nothing is said, and the longest that it may be.
pub const SHARE_LIFE_DEFAULT: Duration = Duration::from_hours(24);
/// The longest that a share link may be good.
pub const SHARE_LIFE_MAX: Duration = Duration::from_hours(30 * 24);
/// Most viewers that may come by one link at a time.
pub const SHARE_VIEWERS_MAX: u32 = 64;
/// Most share links of one session.
pub const SHARES_MAX: usize = 32;

/// What is stored of a share link.
#[derive(Clone)]
pub struct Share {
    /// Number, never used again.
    pub id: ShareId,
    /// The session that it leads to.
    pub session: SessionId,
    /// What its holders may do there: [`Level::Read`] or [`Level::Write`].
    pub level: Level,
    /// Digest of its secret.
    pub digest: Digest,
    /// Hash of a word that must be known besides, as a PHC string.
    pub passphrase: Option<String>,
    /// Who made it; it ends with its maker's account.
    pub creator: UserId,
    /// What its maker calls it; shown and logged.
    pub label: String,
    /// When it was made.
    pub created: SystemTime,
    /// When it ends by itself.
    pub expires: SystemTime,
    /// Most viewers that may come by it at a time.
    pub viewers_max: u32,
    /// Whether its holder must have an account too.
    pub needs_login: bool,
}

impl Share {
    /// Whether it has not expired.
    #[must_use]
    pub fn is_good(&self, now: SystemTime) -> bool {
        now < self.expires
    }

    /// Whoever comes by it. Its secret, and what else it asks for, must have been checked. `with` is
    /// who comes, when it asks for an account: the holder has that name, and is one no longer than
    /// that credential is good.
    #[must_use]
    pub fn holder(&self, with: Option<Principal>) -> Principal {
        let read = Scopes::NONE.with(Scope::SessionRead);
        let label = if self.label.is_empty() { "share link" } else { &*self.label };
        Principal {
            who: Who::Link(self.id),
            name: with.as_ref().map_or(label, Principal::name).to_owned(),
            way: Way::Link,
            scopes: match self.level {
                Level::Read => read,
                Level::Write | Level::Own | Level::Admin => read.with(Scope::SessionWrite),
            },
            expires: Some(self.expires),
            generation: 0,
            with: with.map(Box::new),
        }
    }
}

impl std::fmt::Debug for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Share")
            .field("id", &self.id)
            .field("session", &self.session)
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}
