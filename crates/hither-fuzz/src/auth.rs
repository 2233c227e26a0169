//! Headers that decide who may come in.

use hither_auth::{
    Authorization, CookieName, HostPolicy, Origin, OriginPolicy, Scheme, cookie_values,
};

use crate::bytes::text;

/// Values are pieces of the header and hold no separator.
pub(crate) fn cookie(data: &[u8]) {
    let header = text(data);
    let name = CookieName::new(Scheme::Http, 7681);
    for value in cookie_values(&header, &name) {
        assert!(!value.contains(';') && header.contains(&format!("{}={value}", name.as_str())));
    }
}

/// Printing what is let through says no more than its scheme.
pub(crate) fn authorization(data: &[u8]) {
    let header = text(data);
    if let Ok(authorization) = Authorization::parse(&header) {
        let shown = format!("{authorization:?}");
        assert!(["Bearer(***)", "Basic(***)"].contains(&shown.as_str()), "{shown}");
        assert!(!authorization.secret().is_empty());
    }
}

/// What parses is written in one form, which parses to the same.
pub(crate) fn origin(data: &[u8]) {
    let value = text(data);
    if let Ok(origin) = value.parse::<Origin>() {
        let again = origin.to_string().parse::<Origin>();
        assert_eq!(again.as_ref(), Ok(&origin));
    }
    let host = HostPolicy::network(Scheme::Http, 7681, &[]).check(
        std::iter::once("localhost:7681"),
        None,
        None,
    );
    let host = host.expect("a name of the server");
    let allowed = OriginPolicy::new(Vec::new()).check(&host, std::iter::once(&*value));
    assert!(allowed.is_err() || value == "http://localhost:7681");
}

/// Only the server's own names are accepted.
pub(crate) fn host(data: &[u8]) {
    const OURS: [&str; 3] = ["localhost:7681", "127.0.0.1:7681", "[::1]:7681"];
    let value = text(data);
    let accepted =
        HostPolicy::network(Scheme::Http, 7681, &[]).check(std::iter::once(&*value), None, None);
    assert!(accepted.is_err() || OURS.contains(&value.to_ascii_lowercase().as_str()), "{value}");
    let unix = HostPolicy::unix_socket().check(std::iter::once(&*value), None, None);
    assert!(unix.is_err() || value == "localhost");
}
