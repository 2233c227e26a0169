//! The verifier: who may do something with sessions.

use std::time::SystemTime;

use crate::authorization::Authorization;
use crate::cookie::{CookieName, cookie_values};
use crate::login::{ADMIN_IDLE, LoginRecord, Logins};
use crate::origin::{FetchSite, FromWhere};
use crate::people::{Account, People};
use crate::principal::{Principal, Way, Who};
use crate::token::TokenRecord;
use crate::user::{UserId, UserKind};

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

/// Somebody for whom the connection itself vouches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vouched<'a> {
    /// [`Way::Proxy`] or [`Way::Certificate`].
    pub way: Way,
    /// Name of a user.
    pub name: &'a str,
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
    /// Whom a trusted proxy or a client certificate names. Never what the client itself said.
    pub vouched: Option<Vouched<'a>>,
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
    /// Users, tokens and levels.
    pub people: People,
    /// Logins of browsers.
    pub logins: Logins,
}

impl Verifier {
    /// A verifier that knows these people and no logins.
    #[must_use]
    pub fn new(mode: Mode, people: People) -> Self {
        Self { mode, people, logins: Logins::default() }
    }

    /// Whether credentials are asked for.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Judges a request.
    ///
    /// An `Authorization` header decides alone: a wrong one is not made good by a cookie. A cookie
    /// counts only where the browser vouches that one of our own pages sent it, and so does a name
    /// that the connection vouches for, because a browser sends both of its own accord.
    ///
    /// # Errors
    /// See [`Denied`].
    pub fn verify(&self, shown: &Presented<'_>, now: SystemTime) -> Result<Principal, Denied> {
        if shown.site == FetchSite::Other {
            return Err(Denied::CrossSite);
        }
        match (shown.peer, self.mode, shown.authorization) {
            (Peer::SameUser, _, _) if shown.site != FetchSite::Absent => Err(Denied::CrossSite),
            (Peer::SameUser, _, _) => Ok(self.machine(Way::UnixSocket)),
            (Peer::Network, Mode::Off, _) => Ok(self.machine(Way::NoAuth)),
            (Peer::Network, Mode::Required, Some(header)) => self.by_header(header, now),
            (Peer::Network, Mode::Required, None) => self.by_browser(shown, now),
        }
    }

    /// Judges somebody who was let in before and is still here: whether the credential is still
    /// good, and what it is worth now. It counts as a use of the login.
    ///
    /// # Errors
    /// [`Denied::Wrong`] when it is good no more.
    pub fn verify_again(
        &self,
        principal: &Principal,
        now: SystemTime,
    ) -> Result<Principal, Denied> {
        match (principal.way, &principal.who) {
            (Way::NoAuth | Way::UnixSocket, _) => Ok(self.machine(principal.way)),
            (Way::Token(id), _) => {
                let record = self.people.tokens.find(id).filter(|record| record.is_good(now));
                self.by_token(record.ok_or(Denied::Wrong)?)
            }
            (Way::Login(id), _) => {
                self.by_login(self.logins.find(id, now).ok_or(Denied::Wrong)?, now)
            }
            (Way::Proxy | Way::Certificate, Who::User(id)) => {
                let account = self.people.account(*id).ok_or(Denied::Wrong)?;
                let is_same = account.generation == principal.generation;
                is_same.then(|| vouched(&account, principal.way)).ok_or(Denied::Wrong)
            }
            (Way::Link, Who::Link(id)) => {
                let share = self.people.share(*id, now).ok_or(Denied::Wrong)?;
                let _maker = self.people.account(share.creator).ok_or(Denied::Wrong)?;
                let with = match (&principal.with, share.needs_login) {
                    (Some(with), true) => Some(self.verify_again(with, now)?),
                    (None, true) => return Err(Denied::Wrong),
                    (_, false) => None,
                };
                Ok(share.holder(with))
            }
            (Way::Proxy | Way::Certificate | Way::Link, _) => Err(Denied::Wrong),
        }
    }

    /// The user that the gateway runs as.
    #[must_use]
    pub fn machine(&self, way: Way) -> Principal {
        let account = self.people.account(UserId::MACHINE).expect("it is always there");
        vouched(&account, way)
    }

    fn by_header(&self, header: &str, now: SystemTime) -> Result<Principal, Denied> {
        let authorization = Authorization::parse(header).map_err(|_| Denied::Wrong)?;
        let secret = authorization.secret();
        if let Some(record) = self.people.tokens.check(secret, now) {
            return self.by_token(record);
        }
        self.by_login(self.logins.check(secret, now).ok_or(Denied::Wrong)?, now)
    }

    fn by_browser(&self, shown: &Presented<'_>, now: SystemTime) -> Result<Principal, Denied> {
        let principal = match shown.vouched {
            Some(Vouched { way, name }) => {
                let user = self.people.user_named(name).ok_or(Denied::Wrong)?;
                vouched(&user.into(), way)
            }
            None => self.by_cookie(shown, now)?,
        };
        let own_page = shown.from == FromWhere::SameOrigin;
        let vouched = match shown.intent {
            Intent::Read => true,
            Intent::Change => own_page || shown.site == FetchSite::SameOrigin,
            Intent::Upgrade => own_page,
        };
        vouched.then_some(principal).ok_or(Denied::CrossSite)
    }

    fn by_cookie(&self, shown: &Presented<'_>, now: SystemTime) -> Result<Principal, Denied> {
        let mut values = cookie_values(shown.cookies, shown.cookie_name).peekable();
        if values.peek().is_none() {
            return Err(Denied::Missing);
        }
        let login = values.find_map(|value| self.logins.check(value, now));
        self.by_login(login.ok_or(Denied::Wrong)?, now)
    }

    fn by_token(&self, record: &TokenRecord) -> Result<Principal, Denied> {
        let account = self.people.account(record.user).ok_or(Denied::Wrong)?;
        Ok(Principal {
            who: Who::User(account.id),
            scopes: record.scopes.shared_with(account.scopes()),
            name: account.name,
            way: Way::Token(record.id),
            expires: record.expires,
            generation: account.generation,
            with: None,
        })
    }

    fn by_login(&self, record: &LoginRecord, now: SystemTime) -> Result<Principal, Denied> {
        let account = self.people.account(record.user).ok_or(Denied::Wrong)?;
        let may_idle = account.kind != UserKind::Admin || account.id == UserId::MACHINE;
        let was_idle = now >= record.seen() + ADMIN_IDLE;
        if record.generation != account.generation || (was_idle && !may_idle) {
            return Err(Denied::Wrong);
        }
        record.handle_use(now);
        let idle_end = now + ADMIN_IDLE;
        Ok(Principal {
            who: Who::User(account.id),
            scopes: account.scopes(),
            name: account.name,
            way: Way::Login(record.id()),
            expires: Some(if may_idle { record.expires } else { record.expires.min(idle_end) }),
            generation: account.generation,
            with: None,
        })
    }
}

/// The principal of an account that needs no further proof.
fn vouched(account: &Account, way: Way) -> Principal {
    Principal {
        who: Who::User(account.id),
        name: account.name.clone(),
        way,
        scopes: account.scopes(),
        expires: None,
        generation: account.generation,
        with: None,
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
