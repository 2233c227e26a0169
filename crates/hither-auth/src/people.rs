//! Everything that is stored about who may do what, as it is at one moment.

use std::collections::BTreeMap;
use std::time::SystemTime;

use hither_core::SessionId;

use crate::level::Level;
use crate::principal::{Principal, ShareId, Who};
use crate::scope::Scopes;
use crate::secret::{Digest, SECRET_TEXT_MAX};
use crate::share::Share;
use crate::token::Tokens;
use crate::user::{User, UserId, UserKind};

/// Users, their tokens, the levels that owners of sessions have given to others, share links.
///
/// An image of the store: requests are judged by it alone. The user that the gateway runs as is
/// always there.
#[derive(Clone, Debug)]
pub struct People {
    users: BTreeMap<UserId, User>,
    /// API tokens.
    pub tokens: Tokens,
    grants: BTreeMap<(SessionId, UserId), Level>,
    shares: BTreeMap<ShareId, Share>,
    machine: Account,
}

/// What counts of a user when a credential is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Number.
    pub id: UserId,
    /// Name, to be shown.
    pub name: String,
    /// What kind of user.
    pub kind: UserKind,
    /// Logins of another generation are void.
    pub generation: u64,
}

impl People {
    /// Nobody but the user that the gateway runs as, who is called `name`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let machine = Account {
            id: UserId::MACHINE,
            name: name.to_owned(),
            kind: UserKind::Admin,
            generation: 0,
        };
        Self {
            users: BTreeMap::new(),
            tokens: Tokens::default(),
            grants: BTreeMap::new(),
            shares: BTreeMap::new(),
            machine,
        }
    }

    /// Sets the generation of the logins of the user that the gateway runs as.
    #[must_use]
    pub fn with_machine_generation(mut self, generation: u64) -> Self {
        self.machine.generation = generation;
        self
    }

    /// Adds a user, or replaces the one with its number.
    pub fn add_user(&mut self, user: User) {
        self.users.insert(user.id, user);
    }

    /// Adds a level that an owner has given.
    pub fn add_grant(&mut self, session: SessionId, user: UserId, level: Level) {
        self.grants.insert((session, user), level);
    }

    /// All users but the one that the gateway runs as, in the order in which they came.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    /// The user with this name.
    #[must_use]
    pub fn user_named(&self, name: &str) -> Option<&User> {
        self.users.values().find(|user| user.name.as_str() == name)
    }

    /// The account with this number.
    #[must_use]
    pub fn account(&self, id: UserId) -> Option<Account> {
        if id == UserId::MACHINE {
            return Some(self.machine.clone());
        }
        self.users.get(&id).map(Account::from)
    }

    /// The level that the owner of a session has given to a principal.
    #[must_use]
    pub fn granted(&self, principal: &Principal, session: SessionId) -> Option<Level> {
        match principal.who() {
            Who::User(user) => self.grants.get(&(session, *user)).copied(),
            Who::Link(id) => {
                let share = self.shares.get(id).filter(|share| share.session == session);
                share.map(|share| share.level)
            }
        }
    }

    /// The users to whom the owner of a session has given a level, in the order in which they came.
    pub fn grants_of(&self, session: SessionId) -> impl Iterator<Item = (&User, Level)> {
        let of = (session, UserId(0))..=(session, UserId(u64::MAX));
        let grants = self.grants.range(of);
        grants.filter_map(|((_, user), level)| Some((self.users.get(user)?, *level)))
    }

    /// Adds a share link, or replaces the one with its number.
    pub fn add_share(&mut self, share: Share) {
        self.shares.insert(share.id, share);
    }

    /// The share link with this number, unless it has expired.
    #[must_use]
    pub fn share(&self, id: ShareId, now: SystemTime) -> Option<&Share> {
        self.shares.get(&id).filter(|share| share.is_good(now))
    }

    /// The share link with this secret, unless it has expired. Looks at all of them, in constant
    /// time.
    #[must_use]
    pub fn share_with(&self, secret: &str, now: SystemTime) -> Option<&Share> {
        if secret.len() > SECRET_TEXT_MAX {
            return None;
        }
        let digest = Digest::of(secret);
        let mut found = None;
        for share in self.shares.values() {
            if share.digest.matches(&digest).into() {
                found = Some(share);
            }
        }
        found.filter(|share| share.is_good(now))
    }

    /// The share links of a session, oldest first, those that have not expired.
    pub fn shares_of(&self, session: SessionId, now: SystemTime) -> impl Iterator<Item = &Share> {
        let is_one = move |share: &&Share| share.session == session && share.is_good(now);
        self.shares.values().filter(is_one)
    }
}

impl Account {
    /// What the user may do at most.
    #[must_use]
    pub const fn scopes(&self) -> Scopes {
        self.kind.scopes()
    }
}

impl From<&User> for Account {
    fn from(user: &User) -> Self {
        Self {
            id: user.id,
            name: user.name.to_string(),
            kind: user.kind,
            generation: user.generation,
        }
    }
}
