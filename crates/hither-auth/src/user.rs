//! Users: who has an account here.

use std::fmt;
use std::str::FromStr;

use crate::scope::Scopes;

/// Number of a user. Numbers are never given to another user, so that a session never falls to
/// somebody who only has the name of the one who started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub u64);

impl UserId {
    /// The user that the gateway runs as. Whoever has the launch secret, or comes by the Unix
    /// socket, is this one; there is no account behind it.
    pub const MACHINE: Self = Self(0);
}

/// Name of a user: 1 to 64 characters of `a-z 0-9 . _ @ + -`, a letter or digit first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(String);

/// A text that is not a user's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("user name must be 1 to 64 characters of a-z, 0-9 and . _ @ + -, a letter or digit first")]
pub struct InvalidUserName;

/// What kind of user it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserKind {
    /// Has sessions of its own.
    Member,
    /// May do everything with the sessions of everybody.
    Admin,
}

/// A user as it is stored.
#[derive(Clone)]
pub struct User {
    /// Number, never used again.
    pub id: UserId,
    /// Name, by which the user logs in.
    pub name: UserName,
    /// What the user may do at most.
    pub kind: UserKind,
    /// Hash of the password as a PHC string; without one there is no login by password.
    pub password: Option<String>,
    /// Grows when the password changes or all logins are ended; logins of an older one are void.
    pub generation: u64,
}

impl UserName {
    /// Most bytes of a name.
    pub const LEN_MAX: usize = 64;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl UserKind {
    /// The word of the API, the command line and the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
        }
    }

    /// What a user of this kind may do at most.
    #[must_use]
    pub const fn scopes(self) -> Scopes {
        match self {
            Self::Member => Scopes::MEMBER,
            Self::Admin => Scopes::ALL,
        }
    }
}

impl FromStr for UserName {
    type Err = InvalidUserName;

    fn from_str(text: &str) -> Result<Self, InvalidUserName> {
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let starts_well = text.bytes().next().is_some_and(is_word);
        let is_good = |byte: u8| is_word(byte) || b"._@+-".contains(&byte);
        if starts_well && text.len() <= Self::LEN_MAX && text.bytes().all(is_good) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidUserName)
        }
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for name in ["a", "alice", "7of9", "a.b_c-d", "alice@example.com", &"x".repeat(64)] {
            assert_eq!(name.parse::<UserName>().unwrap().as_str(), name);
        }
        for name in ["", "Alice", "-a", ".", "a b", "a\n", "é", "a/b", "a:b", &"x".repeat(65)] {
            assert_eq!(name.parse::<UserName>(), Err(InvalidUserName), "{name}");
        }
    }
}
