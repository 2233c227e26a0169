//! Principals: who is behind a request, proven.

use std::time::SystemTime;

use crate::scope::Scopes;
use crate::user::UserId;

/// Somebody who was verified: who it is, how it came in, and what its credential may be used for.
///
/// Only this crate makes one, and without one there is no way to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub(crate) who: Who,
    pub(crate) name: String,
    pub(crate) way: Way,
    pub(crate) scopes: Scopes,
    pub(crate) expires: Option<SystemTime>,
    pub(crate) generation: u64,
    /// The user's credential that came with a share link which asks for one.
    pub(crate) with: Option<Box<Self>>,
}

/// Whom the gateway knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// A user.
    User(UserId),
    /// Somebody, nobody knows who, with a share link.
    Link(ShareId),
}

/// The way by which somebody came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// Nobody was asked, since authentication is off.
    NoAuth,
    /// The Unix socket; the kernel said who is at the other end.
    UnixSocket,
    /// An API token.
    Token(TokenId),
    /// A login, by whatever means it was opened.
    Login(LoginId),
    /// A header of a trusted proxy.
    Proxy,
    /// A client certificate.
    Certificate,
    /// A share link.
    Link,
}

/// Number of an API token; 0 is the one that the gateway keeps for programs of its own user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub u64);

/// Number of a login, good as long as the gateway runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoginId(pub u64);

/// Number of a share link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShareId(pub u64);

impl Principal {
    /// Who it is.
    #[must_use]
    pub const fn who(&self) -> &Who {
        &self.who
    }

    /// The user, if it is one.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self.who {
            Who::User(id) => Some(id),
            Who::Link(_) => None,
        }
    }

    /// A name to be shown and logged: the user's, or what its share link is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it came in.
    #[must_use]
    pub const fn way(&self) -> Way {
        self.way
    }

    /// What its credential may be used for.
    #[must_use]
    pub const fn scopes(&self) -> Scopes {
        self.scopes
    }

    /// When its credential ends by itself.
    #[must_use]
    pub const fn expires(&self) -> Option<SystemTime> {
        self.expires
    }

    /// The generation of the user's logins that it belongs to.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }
}

/// The words of ways, said once: a way without a word does not compile.
macro_rules! words {
    ($($way:pat => $word:literal,)*) => {
        impl Way {
            /// The words of all ways.
            pub const WORDS: &[&str] = &[$($word),*];

            /// The word of the API and the logs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($way => $word,)* }
            }
        }
    };
}

words! {
    Self::NoAuth => "no-auth",
    Self::UnixSocket => "unix-socket",
    Self::Token(_) => "token",
    Self::Login(_) => "login",
    Self::Proxy => "proxy",
    Self::Certificate => "certificate",
    Self::Link => "link",
}
