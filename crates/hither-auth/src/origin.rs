//! The `Origin` and `Sec-Fetch-Site` headers: which page a request comes from.

use std::fmt;
use std::str::FromStr;

use crate::host::AcceptedHost;

/// A web origin (RFC 6454): scheme, host and port, in the form that browsers send.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: String,
    port: u16,
}

/// How a browser reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS, which a proxy in front may end.
    Https,
}

/// A text that is not an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("origin must be http:// or https:// with a lower-case host and an optional port")]
pub struct InvalidOrigin;

impl Scheme {
    /// The port that is left out of URLs.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Origin {
    /// The origin with a host that is taken as it is.
    #[must_use]
    pub(crate) const fn of_host(scheme: Scheme, host: String, port: u16) -> Self {
        Self { scheme, host, port }
    }

    /// The origin of the same host where a listener answers itself.
    #[must_use]
    pub fn at(&self, scheme: Scheme, port: u16) -> Self {
        Self { scheme, host: self.host.clone(), port }
    }

    /// The host: a name, or an IP address as browsers write it.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The origins of pages that come by a host name: over TLS that a proxy ends, or plainly, with
    /// the server's own port, as through a tunnel.
    ///
    /// # Errors
    /// When the name is none, has a port or is not in lower case.
    pub fn of_name(name: &str, port: u16) -> Result<[Self; 2], InvalidOrigin> {
        let secure: Self = format!("https://{name}").parse()?;
        if secure.host != name {
            return Err(InvalidOrigin);
        }
        Ok([secure, Self::of_host(Scheme::Http, name.to_owned(), port)])
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether a `Host` header with this value means this origin.
    ///
    /// Exact: no suffix, no other case, no trailing dot; the default port may be left out.
    #[must_use]
    pub(crate) fn is_host(&self, value: &str) -> bool {
        match value.strip_prefix(&*self.host) {
            Some("") => self.port == self.scheme.default_port(),
            Some(rest) => rest.strip_prefix(':').is_some_and(|port| port == self.port.to_string()),
            None => false,
        }
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let (scheme, authority) = text.split_once("://").ok_or(InvalidOrigin)?;
        let scheme = match scheme {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(InvalidOrigin),
        };
        let (host, port) = split_authority(authority)?;
        Ok(Self {
            scheme,
            host: host.to_owned(),
            port: port.unwrap_or_else(|| scheme.default_port()),
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)?;
        if self.port == self.scheme.default_port() {
            return Ok(());
        }
        write!(f, ":{}", self.port)
    }
}

/// Host and port of `host[:port]`; the host is a name or an IP address as browsers write it.
fn split_authority(authority: &str) -> Result<(&str, Option<u16>), InvalidOrigin> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(parse_port(port)?)),
        _ => (authority, None),
    };
    let is_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_');
    let is_address = |inner: &str| inner.parse::<std::net::Ipv6Addr>().is_ok();
    let is_good = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inner) => is_address(inner),
        None => !host.is_empty() && host.bytes().all(is_name) && !host.ends_with('.'),
    };
    is_good.then_some((host, port)).ok_or(InvalidOrigin)
}

/// A port as browsers write it: no sign, no leading zero, not 0.
fn parse_port(text: &str) -> Result<u16, InvalidOrigin> {
    let port: u16 = text.parse().map_err(|_| InvalidOrigin)?;
    if port == 0 || port.to_string() != text {
        return Err(InvalidOrigin);
    }
    Ok(port)
}

/// Which pages may speak to the server: its own.
#[derive(Clone, Debug, Default)]
pub struct OriginPolicy {
    public: Vec<Origin>,
}

/// What the `Origin` header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromWhere {
    /// A page of this server.
    SameOrigin,
    /// No header: a program, or a browser's plain read of its own site.
    Absent,
}

/// The request comes from a page of another site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("request comes from another site")]
pub struct OriginRefused;

impl OriginPolicy {
    /// Own pages are those at these origins and those of the host that the request is for.
    #[must_use]
    pub const fn new(public: Vec<Origin>) -> Self {
        Self { public }
    }

    /// Judges the values of all `Origin` headers of a request for `host`.
    ///
    /// A page at `http://[::1]:7681` is no page of `127.0.0.1:7681`: another program may have
    /// bound that address.
    ///
    /// # Errors
    /// For any origin but the server's own; for `null`; for more than one header.
    pub fn check<'a>(
        &self,
        host: &AcceptedHost,
        mut values: impl Iterator<Item = &'a str>,
    ) -> Result<FromWhere, OriginRefused> {
        let Some(value) = values.next() else {
            return Ok(FromWhere::Absent);
        };
        let origin: Origin = value.parse().map_err(|_| OriginRefused)?;
        let is_own = host.origin() == Some(&origin) || self.public.contains(&origin);
        if values.next().is_some() || !is_own || origin.to_string() != value {
            return Err(OriginRefused);
        }
        Ok(FromWhere::SameOrigin)
    }
}

/// What the `Sec-Fetch-Site` header (Fetch Metadata) says, which pages cannot forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchSite {
    /// No header: a program or an old browser.
    Absent,
    /// A page of this very origin.
    SameOrigin,
    /// The person: address bar or bookmark.
    Person,
    /// Another site, another port of this one, or something unknown.
    Other,
}

impl FetchSite {
    /// Reads the header value.
    #[must_use]
    pub fn parse(value: Option<&str>) -> Self {
        match value {
            None => Self::Absent,
            Some("same-origin") => Self::SameOrigin,
            Some("none") => Self::Person,
            Some(_) => Self::Other,
        }
    }
}

#[cfg(test)]
#[path = "origin_tests.rs"]
mod tests;
