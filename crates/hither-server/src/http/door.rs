//! The check at the door of each listener: host and origin, before a handler sees anything.

use std::net::{IpAddr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::response::Redirect;
use hither_auth::{
    AcceptedHost, CookieName, FetchSite, FromWhere, HostPolicy, HostRefused, Origin, OriginPolicy,
    Peer, Proxies, Scheme, Way, last_word, parse_scheme,
};
use http::header::{ALLOW, HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, Method, Request, Uri, Version};

use super::app::Config;
use super::base_path::{BasePath, Below};
use super::lobby::Seat;
use super::problem::Problem;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Rules of one listener.
#[derive(Debug)]
pub(crate) struct Door {
    peer: Peer,
    port: u16,
    /// How browsers reach it, where that is known without asking a proxy.
    scheme: Option<Scheme>,
    hosts: HostPolicy,
    origins: OriginPolicy,
    proxies: Proxies,
    /// Whoever is neither a proxy nor on this machine is sent away: nothing protects what it sends.
    proxies_only: bool,
    /// The header in which they name the user, if they do.
    identity_header: Option<HeaderName>,
    base_path: BasePath,
}

/// The other end of a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    /// Its address; none on a Unix socket.
    pub(crate) address: Option<IpAddr>,
    /// The user that its certificate stands for.
    pub(crate) certified: Option<String>,
    /// Where it waits until it has shown a credential.
    pub(crate) seat: Seat,
}

/// What the door learned about a request.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) peer: Peer,
    /// Address of the client itself, as far as trusted proxies tell; none on a Unix socket.
    pub(crate) address: Option<IpAddr>,
    pub(crate) from: FromWhere,
    pub(crate) site: FetchSite,
    pub(crate) cookie_name: CookieName,
    /// Where the browser knows our pages to be; none on a Unix socket.
    pub(crate) site_of_ours: Option<Origin>,
    /// Whom the connection vouches for, if anybody.
    pub(crate) vouched: Option<Vouched>,
    /// Whether the browser is told to come by TLS only from now on.
    pub(crate) hsts: bool,
    /// Where the connection waits until it has shown a credential.
    pub(crate) seat: Seat,
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
    /// The door of a TCP listener at `address` that speaks `scheme`.
    pub(crate) fn tcp(address: SocketAddr, scheme: Scheme, config: &Config) -> Self {
        let mut names = config.public_origins.clone();
        // Any address of 127.0.0.0/8 can be listened on; its own name is one of the server's.
        let own = format!("http://{address}").parse::<Origin>();
        names.extend(own.map(|own| own.at(scheme, address.port())));
        let is_plain = scheme == Scheme::Http && !address.ip().to_canonical().is_loopback();
        Self {
            peer: Peer::Network,
            port: address.port(),
            scheme: (scheme == Scheme::Https).then_some(scheme),
            hosts: HostPolicy::network(scheme, address.port(), &names),
            origins: OriginPolicy::new(config.public_origins.clone()),
            proxies: config.proxies.clone(),
            proxies_only: is_plain && !config.insecure_plaintext,
            identity_header: config.identity_header.clone(),
            base_path: config.base_path.clone(),
        }
    }

    /// The door of a Unix socket, whose peers the kernel has vouched for.
    pub(crate) fn unix() -> Self {
        Self {
            peer: Peer::SameUser,
            port: 0,
            scheme: None,
            hosts: HostPolicy::unix_socket(),
            origins: OriginPolicy::default(),
            proxies: Proxies::default(),
            proxies_only: false,
            identity_header: None,
            base_path: BasePath::default(),
        }
    }

    /// Judges a request of `caller`.
    pub(crate) fn admit<B>(
        &self,
        request: &Request<B>,
        caller: &Caller,
    ) -> Result<Arrival, Problem> {
        if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
            // RFC 9110 section 15.5.6 wants a list of the methods there are: here, none.
            return Err(Problem::method_not_allowed().with_header(ALLOW, ""));
        }
        let headers = request.headers();
        let peer = caller.address;
        let proxied = peer.is_some_and(|peer| self.proxies.trust(peer));
        if self.proxies_only
            && !proxied
            && !peer.is_some_and(|peer| peer.to_canonical().is_loopback())
        {
            return Err(Problem::not_through_proxy());
        }
        let host = self.check_host(request, proxied)?;
        let from = self.origins.check(&host, texts(headers, &ORIGIN));
        let from = from.map_err(|refused| Problem::cross_site(refused.to_string()))?;
        let mut sites = texts(headers, &SEC_FETCH_SITE);
        Ok(Arrival {
            peer: self.peer,
            address: peer.map(|peer| self.proxies.client(peer, texts(headers, &FORWARDED_FOR))),
            from,
            site: FetchSite::parse(sites.next()),
            cookie_name: CookieName::new(host.scheme(), self.port),
            site_of_ours: host.origin().cloned(),
            vouched: self.vouched(caller, headers, proxied)?,
            hsts: host.origin().is_some_and(wants_hsts),
            seat: caller.seat.clone(),
        })
    }

    /// The user that a trusted proxy or a certificate names. That of a proxy is the one behind it.
    fn vouched(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
        proxied: bool,
    ) -> Result<Option<Vouched>, Problem> {
        if let Some(name) = self.identity_header.as_ref().filter(|_| proxied) {
            let mut values = texts(headers, name);
            match (values.next(), values.next()) {
                (None, _) => {}
                (Some(user), None) => {
                    return Ok(Some(Vouched { way: Way::Proxy, name: user.to_owned() }));
                }
                // The proxy adds its word to what the client wrote, instead of replacing it.
                (Some(_), Some(_)) => {
                    let detail = format!("header {name} must be there once");
                    return Err(Problem::bad_request("duplicate_header", detail));
                }
            }
        }
        let certified = caller.certified.clone();
        Ok(certified.map(|name| Vouched { way: Way::Certificate, name }))
    }

    /// Where a target lies below the base path.
    pub(crate) fn locate(&self, target: &Uri) -> Below {
        self.base_path.locate(target)
    }

    /// The way from the base path itself to the start page, where relative addresses are right.
    pub(crate) fn to_start_page(&self) -> Redirect {
        Redirect::permanent(&format!("{}/", self.base_path.as_str()))
    }

    /// The name that the client used, or that a trusted proxy says it used.
    fn check_host<B>(&self, request: &Request<B>, proxied: bool) -> Result<AcceptedHost, Problem> {
        let headers = request.headers();
        let mut target = request.uri().authority().map(Authority::as_str);
        let mut scheme = self.scheme;
        let mut values: Vec<&str> = texts(headers, &HOST).collect();
        if request.version() == Version::HTTP_2 && values.is_empty() {
            // RFC 9113 section 8.3.1: the target says it.
            values.extend(target);
        }
        if proxied {
            let proto = last_word(texts(headers, &FORWARDED_PROTO)).and_then(parse_scheme);
            scheme = scheme.or(proto);
            if let Some(host) = last_word(texts(headers, &FORWARDED_HOST)) {
                // A page that rebinds its name to the proxy's machine can write this header, but
                // not the host.
                let raw = self.hosts.check(values.into_iter(), target, None);
                raw.map_err(host_refused)?;
                (values, target) = (vec![host], None);
            }
        }
        let host = self.hosts.check(values.into_iter(), target, scheme);
        host.map_err(host_refused)
    }
}

fn host_refused(refused: HostRefused) -> Problem {
    match refused {
        HostRefused::NotOne => Problem::bad_request("invalid_host", refused.to_string()),
        HostRefused::NotOurs => Problem::misdirected(refused.to_string()),
    }
}

/// Whether a browser may be told to come by TLS only: to this name, on all ports. Not to a name
/// that other programs of the machine use as well, nor to an address, where it would be ignored
/// (RFC 6797, section 8.1.1).
fn wants_hsts(origin: &Origin) -> bool {
    let host = origin.host();
    let is_name = !host.starts_with('[') && host.parse::<IpAddr>().is_err();
    origin.scheme() == Scheme::Https && is_name && host != "localhost"
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
