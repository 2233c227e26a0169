//! The check at the door of each listener: host and origin, before a handler sees anything.

use std::net::{IpAddr, SocketAddr};

use axum::extract::FromRequestParts;
use hither_auth::{
    CookieName, FetchSite, FromWhere, HostPolicy, HostRefused, Origin, OriginPolicy, Peer, Way,
};
use http::header::{ALLOW, HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Request};

use super::problem::Problem;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Rules of one listener.
#[derive(Debug)]
pub(crate) struct Door {
    peer: Peer,
    port: u16,
    hosts: HostPolicy,
    origins: OriginPolicy,
}

/// What the door learned about a request.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) peer: Peer,
    /// Where it comes from; none on a Unix socket.
    pub(crate) address: Option<IpAddr>,
    pub(crate) from: FromWhere,
    pub(crate) site: FetchSite,
    pub(crate) cookie_name: CookieName,
    /// Whom the connection vouches for, if anybody.
    pub(crate) vouched: Option<Vouched>,
}

/// Somebody whom a trusted proxy or a client certificate names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vouched {
    /// How.
    pub(crate) way: Way,
    /// Name of a user.
    pub(crate) name: String,
}

impl Door {
    /// The door of a TCP listener at `address`.
    pub(crate) fn tcp(address: SocketAddr, public: &[Origin]) -> Self {
        let mut names = public.to_vec();
        // Any address of 127.0.0.0/8 can be listened on; its own name is one of the server's.
        names.extend(format!("http://{address}").parse::<Origin>());
        Self {
            peer: Peer::Network,
            port: address.port(),
            hosts: HostPolicy::network(address.port(), &names),
            origins: OriginPolicy::new(public.to_vec()),
        }
    }

    /// The door of a Unix socket, whose peers the kernel has vouched for.
    pub(crate) fn unix() -> Self {
        Self {
            peer: Peer::SameUser,
            port: 0,
            hosts: HostPolicy::unix_socket(),
            origins: OriginPolicy::default(),
        }
    }

    /// Judges a request.
    pub(crate) fn admit<B>(
        &self,
        request: &Request<B>,
        address: Option<IpAddr>,
    ) -> Result<Arrival, Problem> {
        if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
            // RFC 9110 section 15.5.6 wants a list of the methods there are: here, none.
            return Err(Problem::method_not_allowed().with_header(ALLOW, ""));
        }
        let headers = request.headers();
        let target = request.uri().authority().map(http::uri::Authority::as_str);
        let host = self.hosts.check(texts(headers, &HOST), target);
        let host = host.map_err(|refused| match refused {
            HostRefused::NotOne => Problem::bad_request("invalid_host", refused.to_string()),
            HostRefused::NotOurs => Problem::misdirected(refused.to_string()),
        })?;
        let from = self.origins.check(&host, texts(headers, &ORIGIN));
        let from = from.map_err(|refused| Problem::cross_site(refused.to_string()))?;
        let mut sites = texts(headers, &SEC_FETCH_SITE);
        Ok(Arrival {
            peer: self.peer,
            address,
            from,
            site: FetchSite::parse(sites.next()),
            cookie_name: CookieName::new(host.scheme(), self.port),
            vouched: None,
        })
    }
}

impl Vouched {
    /// The same, borrowed.
    pub(crate) fn as_deref(&self) -> hither_auth::Vouched<'_> {
        hither_auth::Vouched { way: self.way, name: &self.name }
    }
}

impl Arrival {
    /// What the door noted in a request.
    pub(crate) fn of(parts: &Parts) -> Result<Self, Problem> {
        // Only a request that went around the door has none.
        parts.extensions.get().cloned().ok_or_else(Problem::internal)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Arrival {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(parts)
    }
}

/// All values of a header; one that is not text counts as an empty one, which matches nothing.
fn texts<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> + use<'a> {
    let values = headers.get_all(name).into_iter();
    values.map(|value| value.to_str().unwrap_or(""))
}
