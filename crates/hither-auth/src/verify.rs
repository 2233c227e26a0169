//! The verifier: who may do something with sessions.

use std::time::SystemTime;

use crate::authorization::Authorization;
use crate::cookie::{CookieName, cookie_values};
use crate::login::Logins;
use crate::origin::{FetchSite, FromWhere};
use crate::token::Tokens;

/// Proof that a request was verified. Only a [`Verifier`] makes one, and without one there is no
/// way to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated {
    identity: Identity,
}

/// Who was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Nobody was asked, since authentication is off.
    Anyone,
    /// A process of the user that runs the server, on the Unix socket.
    SameUser,
    /// A program with the API token of this name.
    Token(String),
    /// A browser, or a program, that has logged in.
    Login,
}

/// Whether credentials are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They are.
    Required,
    /// They are not; pages of other sites are refused all the same.
    Off,
}

/// Who is at the other end of the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Somebody on a TCP connection.
    Network,
    /// A process that the kernel says runs as the same user as the server.
    SameUser,
}

/// What the request would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Read something.
    Read,
    /// Change something.
    Change,
    /// Open a WebSocket, which browsers let every page do to every site.
    Upgrade,
}

/// What a request shows of its sender. Host and origin have been checked before.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// The other end of the socket.
    pub peer: Peer,
    /// What it would do.
    pub intent: Intent,
    /// Result of the origin check.
    pub from: FromWhere,
    /// Fetch metadata.
    pub site: FetchSite,
    /// The `Authorization` header, if there is one.
    pub authorization: Option<&'a str>,
    /// The `Cookie` header, empty if there is none.
    pub cookies: &'a str,
    /// The cookie that carries a login.
    pub cookie_name: &'a CookieName,
}

/// Why a request was not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// It has no credential.
    #[error("credentials are missing")]
    Missing,
    /// It has one that is wrong, expired or malformed.
    #[error("credentials are wrong or have expired")]
    Wrong,
    /// It comes, or may come, from a page of another site.
    #[error("request comes from another site")]
    CrossSite,
}

/// Knows every credential that is good, by digest.
#[derive(Debug)]
pub struct Verifier {
    mode: Mode,
    tokens: Tokens,
    /// Logins of browsers.
    pub logins: Logins,
}

impl Authenticated {
    /// Who it is.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }
}

impl Verifier {
    /// A verifier that knows these tokens and no logins.
    #[must_use]
    pub fn new(mode: Mode, tokens: Tokens) -> Self {
        Self { mode, tokens, logins: Logins::default() }
    }

    /// Whether credentials are asked for.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Judges a request.
    ///
    /// An `Authorization` header decides alone: a wrong one is not made good by a cookie. A cookie
    /// counts only where the browser vouches that one of our own pages sent it.
    ///
    /// # Errors
    /// See [`Denied`].
    pub fn verify(&self, shown: &Presented<'_>, now: SystemTime) -> Result<Authenticated, Denied> {
        if shown.site == FetchSite::Other {
            return Err(Denied::CrossSite);
        }
        let identity = match (shown.peer, self.mode, shown.authorization) {
            (Peer::SameUser, _, _) if shown.site != FetchSite::Absent => {
                return Err(Denied::CrossSite);
            }
            (Peer::SameUser, _, _) => Identity::SameUser,
            (Peer::Network, Mode::Off, _) => Identity::Anyone,
            (Peer::Network, Mode::Required, Some(header)) => self.by_header(header, now)?,
            (Peer::Network, Mode::Required, None) => self.by_cookie(shown, now)?,
        };
        Ok(Authenticated { identity })
    }

    /// Whether this is the text of an API token.
    #[must_use]
    pub fn knows_token(&self, text: &str) -> bool {
        self.tokens.check(text).is_some()
    }

    fn by_header(&self, header: &str, now: SystemTime) -> Result<Identity, Denied> {
        let authorization = Authorization::parse(header).map_err(|_| Denied::Wrong)?;
        let secret = authorization.secret();
        if let Some(name) = self.tokens.check(secret) {
            return Ok(Identity::Token(name.to_owned()));
        }
        let is_login = self.logins.check(secret, now);
        is_login.then_some(Identity::Login).ok_or(Denied::Wrong)
    }

    fn by_cookie(&self, shown: &Presented<'_>, now: SystemTime) -> Result<Identity, Denied> {
        let mut values = cookie_values(shown.cookies, shown.cookie_name).peekable();
        if values.peek().is_none() {
            return Err(Denied::Missing);
        }
        if !values.any(|value| self.logins.check(value, now)) {
            return Err(Denied::Wrong);
        }
        let own_page = shown.from == FromWhere::SameOrigin;
        let vouched = match shown.intent {
            Intent::Read => true,
            Intent::Change => own_page || shown.site == FetchSite::SameOrigin,
            Intent::Upgrade => own_page,
        };
        vouched.then_some(Identity::Login).ok_or(Denied::CrossSite)
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
