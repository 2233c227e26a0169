//! The `Cookie` and `Set-Cookie` headers.

use crate::login::LOGIN_LIFE;
use crate::origin::Scheme;
use crate::secret::Secret;
use crate::sign_on::{SIGN_ON_LIFE, SignOn};

/// Most bytes of a `Cookie` header that are looked at.
pub const COOKIE_BYTES_MAX: usize = 8192;
/// Most cookies of a header that are looked at.
pub const COOKIES_MAX: usize = 64;

/// Name of the cookie that carries a login.
///
/// Cookies are shared by all ports of a host, so the name carries the port; over https the
/// `__Host-` prefix (RFC 6265bis section 4.1.3.2) keeps other hosts from setting it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieName {
    text: String,
    scheme: Scheme,
}

impl CookieName {
    /// The name for a server on `port` that the browser reaches by `scheme`.
    #[must_use]
    pub fn new(scheme: Scheme, port: u16) -> Self {
        let text = match scheme {
            Scheme::Http => format!("hither-{port}"),
            Scheme::Https => format!("__Host-hither-{port}"),
        };
        Self { text, scheme }
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The `Set-Cookie` value that stores a login.
    #[must_use]
    pub fn set(&self, login: &Secret) -> String {
        self.header(&login.to_text(), LOGIN_LIFE.as_secs())
    }

    /// The `Set-Cookie` value that removes it.
    #[must_use]
    pub fn clear(&self) -> String {
        self.header("", 0)
    }

    /// Name of the cookie that carries a sign-on which has begun.
    #[must_use]
    pub fn for_sign_on(&self) -> Self {
        Self { text: format!("{}-sign-on", self.text), scheme: self.scheme }
    }

    /// The `Set-Cookie` value that stores a sign-on. The browser shows it to a page of ours that
    /// the provider sends it to, hence `Lax`; it opens nothing.
    #[must_use]
    pub fn set_sign_on(&self, sign_on: &SignOn) -> String {
        let strict = self.header(sign_on.to_cookie(), SIGN_ON_LIFE.as_secs());
        strict.replace("SameSite=Strict", "SameSite=Lax")
    }

    fn header(&self, value: &str, max_age: u64) -> String {
        let secure = match self.scheme {
            Scheme::Http => "",
            Scheme::Https => "; Secure",
        };
        format!(
            "{}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}",
            self.text
        )
    }
}

/// The values of all cookies called `name` in a `Cookie` header.
///
/// There can be several, since other programs on the host may set one under the same name with
/// another path; each is worth a look, because only a login's secret opens anything.
pub fn cookie_values<'a>(header: &'a str, name: &'a CookieName) -> impl Iterator<Item = &'a str> {
    let header = if header.len() <= COOKIE_BYTES_MAX { header } else { "" };
    header
        .split(';')
        .take(COOKIES_MAX)
        .filter_map(|pair| pair.trim_matches(' ').split_once('='))
        .filter(move |(found, _)| *found == name.text)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(header: &str) -> Vec<String> {
        let name = CookieName::new(Scheme::Http, 7681);
        cookie_values(header, &name).map(str::to_owned).collect()
    }

    #[test]
    fn finds_its_own_among_others() {
        for (header, expect) in [
            ("hither-7681=x", vec!["x"]),
            ("a=b; hither-7681=x; c", vec!["x"]),
            ("hither-7681=x;hither-7681=y=z", vec!["x", "y=z"]),
            ("hither-7682=x; Hither-7681=x; xhither-7681=x", vec![]),
            ("hither-7681", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(values(header), expect, "{header}");
        }
    }

    #[test]
    fn looks_at_no_more_than_its_limits() {
        let many = "a=b;".repeat(COOKIES_MAX) + "hither-7681=x";
        assert!(values(&many).is_empty());
        let long = format!("hither-7681=x; a={}", "b".repeat(COOKIE_BYTES_MAX));
        assert!(values(&long).is_empty());
    }

    #[test]
    fn sets_every_flag() {
        let secret = Secret::from_random([0; 32]);
        let value = "A".repeat(43);
        assert_eq!(
            CookieName::new(Scheme::Http, 7681).set(&secret),
            format!("hither-7681={value}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict")
        );
        assert_eq!(
            CookieName::new(Scheme::Https, 7681).set(&secret),
            format!(
                "__Host-hither-7681={value}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure"
            )
        );
        assert_eq!(
            CookieName::new(Scheme::Http, 1).clear(),
            "hither-1=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
        );
    }

    proptest! {
        #[test]
        fn never_panics(header in ".{0,300}") {
            values(&header);
        }
    }
}
