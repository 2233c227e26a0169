//! The argument by which a handler asks for a verified sender.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use hither_auth::{
    Authorization, Denied, Forbidden, Intent, Offence, Presented, Principal, Scope, Way,
    cookie_values,
};
use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method};

use super::app::App;
use super::door::{Arrival, Vouched};
use super::problem::Problem;
use super::routes::Guard;
use super::upgrade::is_upgrade;
use crate::audit::Actor;

/// A verified sender, who may use the route that was asked for; needed for [`App::session`].
#[derive(Debug)]
pub(crate) struct Access {
    principal: Principal,
    address: Option<IpAddr>,
    /// Whether the browser shows the credential of its own accord, whoever makes the request.
    is_ambient: bool,
    secrets: Vec<String>,
}

impl Access {
    /// Who it is.
    pub(crate) const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Where the sender is; none on a Unix socket.
    pub(crate) const fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Whether the browser shows the credential of its own accord, whoever makes the request.
    pub(crate) const fn is_ambient(&self) -> bool {
        self.is_ambient
    }

    /// The sender, for the audit log.
    pub(crate) fn actor(&self) -> Actor {
        Actor::proven(&self.principal, self.address)
    }

    /// The texts among the credentials that may be a login's.
    pub(crate) fn login_texts(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(String::as_str)
    }
}

impl FromRequestParts<Arc<App>> for Access {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let arrival = Arrival::of(parts)?;
        let authorization = single(&parts.headers, &AUTHORIZATION)?;
        let cookies = single(&parts.headers, &COOKIE)?.unwrap_or("");
        let shown = Presented {
            peer: arrival.peer,
            intent: intent(parts),
            from: arrival.from,
            site: arrival.site,
            authorization,
            cookies,
            cookie_name: &arrival.cookie_name,
            vouched: arrival.vouched.as_ref().map(Vouched::as_deref),
        };
        let principal = app.auth.verify(&shown).map_err(|denied| {
            if denied == Denied::Wrong && authorization.is_some() {
                app.gate.handle_offence(arrival.address, Offence::WrongToken);
            }
            Problem::from(denied)
        })?;
        arrival.seat.prove();
        let guard = parts.extensions.get::<Guard>().copied();
        check(guard.ok_or_else(Problem::internal)?, &principal)?;
        let from_header = authorization.and_then(|header| Authorization::parse(header).ok());
        let from_cookies = cookie_values(cookies, &arrival.cookie_name).map(str::to_owned);
        let from_header = from_header.map(|header| header.secret().to_owned());
        let address = arrival.address;
        let shown_by_browser =
            matches!(principal.way(), Way::Login(_) | Way::Proxy | Way::Certificate);
        Ok(Self {
            principal,
            address,
            is_ambient: shown_by_browser && authorization.is_none(),
            secrets: from_header.into_iter().chain(from_cookies).collect(),
        })
    }
}

/// Whether a principal may use a route. What it may do with a session is decided by
/// [`App::session`]; here it is only seen whether its credential was made for that at all.
fn check(guard: Guard, principal: &Principal) -> Result<(), Problem> {
    let scope: Option<Scope> = match guard {
        Guard::Public | Guard::Secret | Guard::Credential => None,
        Guard::Scope(scope) => Some(scope),
        Guard::Session(level) => Some(level.scope()),
    };
    match scope {
        Some(scope) if !principal.scopes().allow(scope) => Err(Forbidden::Scope(scope).into()),
        _ => Ok(()),
    }
}

/// What a request would do. Only GET and HEAD read; whoever asks for `/ws` means to upgrade, even
/// if the handshake is flawed.
fn intent(parts: &Parts) -> Intent {
    if is_upgrade(parts) || parts.uri.path() == "/ws" {
        Intent::Upgrade
    } else if parts.method == Method::GET || parts.method == Method::HEAD {
        Intent::Read
    } else {
        Intent::Change
    }
}

/// The value of a header that may be there once. Two are refused: which one counts is unclear.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Problem::bad_request(
            "duplicate_header",
            format!("header {name} must be there once"),
        ));
    }
    let Some(value) = first else {
        return Ok(None);
    };
    let text = value.to_str();
    text.map(Some).map_err(|_| Problem::from(Denied::Wrong))
}
