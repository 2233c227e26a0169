//! Scopes: what a credential may be used for.

use std::fmt;
use std::str::FromStr;

/// One thing that a credential may be used for, whoever holds it.
///
/// A scope opens nothing by itself: for a session the [`crate::Level`] of its holder counts too,
/// and the lower of both decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Start sessions.
    SessionCreate,
    /// List sessions and read their output.
    SessionRead,
    /// Type into sessions and resize them.
    SessionWrite,
    /// Close sessions, share them, decide on the levels of others.
    SessionManage,
    /// Everything: sessions of all users, users, tokens, the gateway itself.
    Admin,
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

/// A text that is not a list of scopes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "scope must be one of session:create, session:read, session:write, session:manage, admin, \
     or several with commas between them"
)]
pub struct InvalidScope;

impl Scope {
    /// All of them, the least first.
    pub const ALL: [Self; 5] = [
        Self::SessionCreate,
        Self::SessionRead,
        Self::SessionWrite,
        Self::SessionManage,
        Self::Admin,
    ];

    /// The word of the command line, the API and the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SessionCreate => "session:create",
            Self::SessionRead => "session:read",
            Self::SessionWrite => "session:write",
            Self::SessionManage => "session:manage",
            Self::Admin => "admin",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Scopes {
    /// No scope.
    pub const NONE: Self = Self(0);
    /// Everything that concerns one's own sessions.
    pub const MEMBER: Self = Self(0b0_1111);
    /// Every scope.
    pub const ALL: Self = Self(0b1_1111);

    /// Whether a scope is in the set. [`Scope::Admin`] contains all others.
    #[must_use]
    pub const fn allow(self, scope: Scope) -> bool {
        self.0 & (scope.bit() | Scope::Admin.bit()) != 0
    }

    /// The set with one scope more.
    #[must_use]
    pub const fn with(self, scope: Scope) -> Self {
        Self(self.0 | scope.bit())
    }

    /// What both sets allow.
    #[must_use]
    pub fn shared_with(self, other: Self) -> Self {
        let both = Scope::ALL.into_iter().filter(|&scope| self.allow(scope) && other.allow(scope));
        both.collect()
    }

    /// The scopes that were named, the least first.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & scope.bit() != 0)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        scopes.into_iter().fold(Self::NONE, Self::with)
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or(InvalidScope)
    }
}

impl FromStr for Scopes {
    type Err = InvalidScope;

    /// Reads a list with commas; at least one scope must be there.
    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        text.split(',').map(|word| word.trim().parse::<Scope>()).collect()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "," })?;
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_through_text() {
        for bits in 1..=Scopes::ALL.0 {
            let scopes = Scopes(bits);
            assert_eq!(scopes.to_string().parse(), Ok(scopes));
        }
        assert_eq!("session:read, admin".parse::<Scopes>().unwrap().to_string(), {
            "session:read,admin"
        });
    }

    #[test]
    fn refuse_other_texts() {
        for text in ["", ",", "session:read,", "session", "ADMIN", "admin:*", "session:read;admin"]
        {
            assert_eq!(text.parse::<Scopes>(), Err(InvalidScope), "{text}");
        }
    }

    #[test]
    fn nothing_is_allowed_that_was_not_named() {
        for named in Scope::ALL {
            let scopes = Scopes::NONE.with(named);
            for asked in Scope::ALL {
                let expect = asked == named || named == Scope::Admin;
                assert_eq!(scopes.allow(asked), expect, "{named} {asked}");
            }
            assert!(!Scopes::NONE.allow(named));
        }
        assert!(!Scopes::MEMBER.allow(Scope::Admin));
    }

    #[test]
    fn a_token_is_never_worth_more_than_its_user() {
        let all = Scopes::NONE.with(Scope::Admin);
        assert_eq!(all.shared_with(Scopes::MEMBER), Scopes::MEMBER);
        let read = Scopes::NONE.with(Scope::SessionRead);
        assert_eq!(read.shared_with(Scopes::ALL), read);
        assert_eq!(read.shared_with(Scopes::NONE.with(Scope::SessionWrite)), Scopes::NONE);
    }
}
