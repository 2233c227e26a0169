//! The path below which everything is, when a proxy shares its host with others.

use std::str::FromStr;

use http::Uri;
use http::uri::PathAndQuery;

/// Longest base path.
const LEN_MAX: usize = 128;

/// A path without a slash at its end, as in `/term`; empty for none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(String);

/// A text that is no base path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a path of letters, digits, - . _ ~ and slashes, as in /term")]
pub struct InvalidBasePath;

/// What a target is, seen from the base path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Below {
    /// This, with the base path taken away.
    Path(Uri),
    /// The base path itself, whose pages would look for their files in the wrong place.
    Itself,
    /// Something else.
    Elsewhere,
}

impl BasePath {
    /// The text, to be put in front of paths.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where a target lies.
    pub(crate) fn locate(&self, target: &Uri) -> Below {
        if self.0.is_empty() {
            return Below::Path(target.clone());
        }
        let whole = target.path_and_query().map_or("", PathAndQuery::as_str);
        match whole.strip_prefix(&*self.0) {
            Some(rest) if rest.starts_with('/') => match rest.parse() {
                Ok(uri) => Below::Path(uri),
                Err(_) => Below::Elsewhere,
            },
            Some(rest) if rest.is_empty() || rest.starts_with('?') => Below::Itself,
            _ => Below::Elsewhere,
        }
    }
}

impl FromStr for BasePath {
    type Err = InvalidBasePath;

    fn from_str(text: &str) -> Result<Self, InvalidBasePath> {
        let path = text.strip_suffix('/').unwrap_or(text);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_segment =
            |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(plain);
        let mut segments = path.split('/');
        let rooted = segments.next() == Some("");
        if rooted && path.len() <= LEN_MAX && segments.all(is_segment) {
            Ok(Self(path.to_owned()))
        } else {
            Err(InvalidBasePath)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_is_plain() {
        for (text, expect) in [("/", ""), ("", ""), ("/term", "/term"), ("/a/b-c.d/", "/a/b-c.d")] {
            assert_eq!(text.parse::<BasePath>().unwrap().as_str(), expect, "{text}");
        }
        let long = format!("/{}", "x".repeat(128));
        for text in ["term", "//", "/a//b", "/..", "/a/./b", "/a b", "/a?b", "/%61", "/ä", &long] {
            assert_eq!(text.parse::<BasePath>(), Err(InvalidBasePath), "{text}");
        }
    }

    #[test]
    fn what_is_below_loses_the_path() {
        let base: BasePath = "/term".parse().unwrap();
        for (target, expect) in [
            ("/term/", Below::Path("/".parse().unwrap())),
            ("/term/ws?session=a", Below::Path("/ws?session=a".parse().unwrap())),
            ("http://box/term/health", Below::Path("/health".parse().unwrap())),
            ("/term//evil.test/", Below::Path("//evil.test/".parse().unwrap())),
            ("/term", Below::Itself),
            ("/term?x", Below::Itself),
            ("/terminal", Below::Elsewhere),
            ("/TERM/", Below::Elsewhere),
            ("/", Below::Elsewhere),
            ("/../term/", Below::Elsewhere),
        ] {
            assert_eq!(base.locate(&target.parse().unwrap()), expect, "{target}");
        }
        let target: Uri = "/anything".parse().unwrap();
        assert_eq!(BasePath::default().locate(&target), Below::Path(target));
    }
}
