//! Headers that every response carries.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// What the page may load: its own files and nothing inline. `data:` and `blob:` images are what
/// terminal programs draw.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types";

/// The security headers, by name and value.
pub(crate) const SECURITY: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, CONTENT_POLICY),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("x-frame-options"), "DENY"),
];

/// `Strict-Transport-Security` (RFC 6797): a year, for this name and not for those below it.
pub(crate) const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Puts the security headers on a response; and `no-store`, unless it says how to cache it.
pub(crate) fn harden(headers: &mut HeaderMap) {
    for (name, value) in SECURITY {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let no_store = HeaderValue::from_static("no-store");
    headers.entry(CACHE_CONTROL).or_insert(no_store);
}

/// The same headers as lines of HTTP/1.1, for a response that no framework writes.
pub(crate) fn lines() -> String {
    let line = |(name, value): (HeaderName, &str)| format!("{name}: {value}\r\n");
    SECURITY.into_iter().map(line).collect()
}
