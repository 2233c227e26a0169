//! The `Authorization` header.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Longest header value that is looked at.
const HEADER_BYTES_MAX: usize = 1024;

/// What an `Authorization` header carries.
#[derive(Clone, PartialEq, Eq)]
pub enum Authorization {
    /// `Bearer` (RFC 6750): the token.
    Bearer(String),
    /// `Basic` (RFC 7617): the password. The user name is whatever the client likes.
    Basic(String),
}

/// A header value that is neither `Bearer` nor `Basic`, or is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("authorization must be Bearer or Basic with a token")]
pub struct InvalidAuthorization;

impl Authorization {
    /// Reads a header value.
    ///
    /// # Errors
    /// When it has another scheme, is malformed, empty or longer than 1,024 bytes.
    pub fn parse(value: &str) -> Result<Self, InvalidAuthorization> {
        if value.len() > HEADER_BYTES_MAX {
            return Err(InvalidAuthorization);
        }
        let (scheme, rest) = value.split_once(' ').ok_or(InvalidAuthorization)?;
        let rest = rest.trim_matches(' ');
        if scheme.eq_ignore_ascii_case("bearer") {
            Self::bearer(rest)
        } else if scheme.eq_ignore_ascii_case("basic") {
            Self::basic(rest)
        } else {
            Err(InvalidAuthorization)
        }
    }

    /// The secret in it.
    #[must_use]
    pub fn secret(&self) -> &str {
        match self {
            Self::Bearer(secret) | Self::Basic(secret) => secret,
        }
    }

    fn bearer(token: &str) -> Result<Self, InvalidAuthorization> {
        let is_graphic = |byte: u8| byte.is_ascii_graphic();
        if token.is_empty() || !token.bytes().all(is_graphic) {
            return Err(InvalidAuthorization);
        }
        Ok(Self::Bearer(token.to_owned()))
    }

    fn basic(encoded: &str) -> Result<Self, InvalidAuthorization> {
        let bytes = STANDARD.decode(encoded).map_err(|_| InvalidAuthorization)?;
        let text = String::from_utf8(bytes).map_err(|_| InvalidAuthorization)?;
        let (_user, password) = text.split_once(':').ok_or(InvalidAuthorization)?;
        if password.is_empty() {
            return Err(InvalidAuthorization);
        }
        Ok(Self::Basic(password.to_owned()))
    }
}

impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bearer(_) => "Bearer(***)",
            Self::Basic(_) => "Basic(***)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_both_schemes() {
        for (value, expect) in [
            ("Bearer abc", Authorization::Bearer("abc".to_owned())),
            ("bearer  abc ", Authorization::Bearer("abc".to_owned())),
            ("Basic dTpw", Authorization::Basic("p".to_owned())),
            ("BASIC OnA6cA==", Authorization::Basic("p:p".to_owned())),
        ] {
            assert_eq!(Authorization::parse(value), Ok(expect), "{value}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        let long = format!("Bearer {}", "x".repeat(HEADER_BYTES_MAX));
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Digest x",
            "Basic",
            "Basic !",
            "Basic dQ==",
            "Basic dTo=",
            "Basic /w==",
            "Bearer\u{e9} x",
            &long,
        ] {
            assert_eq!(Authorization::parse(value), Err(InvalidAuthorization), "{value}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        let shown = format!("{:?}", Authorization::parse("Bearer canary"));
        assert!(!shown.contains("canary"), "{shown}");
    }

    proptest! {
        #[test]
        fn never_panics(value in ".{0,200}") {
            drop(Authorization::parse(&value));
        }

        #[test]
        fn basic_keeps_every_password(user in "[^:]{0,9}", password in ".{1,30}") {
            let value = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
            prop_assert_eq!(Authorization::parse(&value), Ok(Authorization::Basic(password)));
        }
    }
}
