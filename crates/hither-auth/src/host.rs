//! The `Host` header: against DNS rebinding.

use crate::origin::{Origin, Scheme};

/// Names under which the server may be spoken to.
///
/// A page of `evil.test` whose name suddenly means 127.0.0.1 is same-origin for the browser, but
/// its requests say `Host: evil.test`.
#[derive(Clone, Debug)]
pub struct HostPolicy {
    names: Names,
}

#[derive(Clone, Debug)]
enum Names {
    /// `localhost` without a port: only programs that open the socket themselves say so.
    UnixSocket,
    /// Loopback names with the listener's port, and configured origins.
    Network(Vec<Origin>),
}

/// A `Host` that was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedHost {
    origin: Option<Origin>,
}

/// A `Host` header that is missing, doubled, malformed or not one of the server's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostRefused {
    /// Not exactly one header (RFC 9112 section 3.2 asks for status 400).
    #[error("request must have exactly one host")]
    NotOne,
    /// Another name.
    #[error("host is not a name of this server")]
    NotOurs,
}

impl HostPolicy {
    /// The policy of a TCP listener on `port`, reached by `scheme`: `localhost`, `127.0.0.1`,
    /// `[::1]` and the hosts of the configured origins.
    #[must_use]
    pub fn network(scheme: Scheme, port: u16, public: &[Origin]) -> Self {
        let loopback = ["localhost", "127.0.0.1", "[::1]"]
            .map(|host| Origin::of_host(scheme, host.to_owned(), port));
        Self { names: Names::Network(loopback.into_iter().chain(public.iter().cloned()).collect()) }
    }

    /// The policy of a Unix socket: `localhost`, without a port, so that a browser that reaches
    /// the socket through a forwarded port is told from a program that opened it.
    #[must_use]
    pub const fn unix_socket() -> Self {
        Self { names: Names::UnixSocket }
    }

    /// Judges the values of all `Host` headers of a request, and of its absolute target if the
    /// request line has one. A name can be reached by both schemes; `scheme` is the one in use, if
    /// that is known.
    ///
    /// # Errors
    /// When there is not exactly one, they differ, or it is not one of the server's names.
    pub fn check<'a>(
        &self,
        mut values: impl Iterator<Item = &'a str>,
        target: Option<&str>,
        scheme: Option<Scheme>,
    ) -> Result<AcceptedHost, HostRefused> {
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(HostRefused::NotOne);
        };
        if target.is_some_and(|target| target != value) {
            return Err(HostRefused::NotOurs);
        }
        match &self.names {
            Names::UnixSocket if value == "localhost" => Ok(AcceptedHost { origin: None }),
            Names::UnixSocket => Err(HostRefused::NotOurs),
            Names::Network(origins) => origins
                .iter()
                .filter(|origin| scheme.is_none_or(|scheme| scheme == origin.scheme()))
                .find(|origin| origin.is_host(value))
                .map(|origin| AcceptedHost { origin: Some(origin.clone()) })
                .ok_or(HostRefused::NotOurs),
        }
    }
}

impl AcceptedHost {
    /// The origin of pages under this name; none on a Unix socket, which has no pages.
    #[must_use]
    pub const fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// How browsers reach this name.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.origin.as_ref().map_or(Scheme::Http, Origin::scheme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy() -> HostPolicy {
        HostPolicy::network(Scheme::Http, 7681, &["https://term.example.com".parse().unwrap()])
    }

    fn check(values: &[&str]) -> Result<AcceptedHost, HostRefused> {
        policy().check(values.iter().copied(), None, None)
    }

    #[test]
    fn accepts_its_own_names() {
        for (host, scheme) in [
            ("localhost:7681", Scheme::Http),
            ("127.0.0.1:7681", Scheme::Http),
            ("[::1]:7681", Scheme::Http),
            ("term.example.com", Scheme::Https),
            ("term.example.com:443", Scheme::Https),
        ] {
            assert_eq!(check(&[host]).map(|host| host.scheme()), Ok(scheme), "{host}");
        }
    }

    #[test]
    fn refuses_every_other() {
        for host in [
            "",
            "localhost",
            "localhost:",
            "localhost:80",
            "localhost:07681",
            "localhost:7681 ",
            "localhost.:7681",
            "LOCALHOST:7681",
            "evil.test:7681",
            "evil.test",
            "localhost:7681.evil.test",
            "localhost.evil.test:7681",
            "evil-localhost:7681",
            "user@localhost:7681",
            "localhost:7681@evil.test",
            "127.0.0.2:7681",
            "127.1:7681",
            "0.0.0.0:7681",
            "2130706433:7681",
            "::1:7681",
            "[::1]",
            "[::]:7681",
            "[0:0:0:0:0:0:0:1]:7681",
            "term.example.com:7681",
            "term.example.com:80",
            "term.example.com.",
            "example.com",
            "x.term.example.com",
            "term.example.com:443:443",
            "localhost:7681,evil.test",
        ] {
            assert_eq!(check(&[host]), Err(HostRefused::NotOurs), "{host}");
        }
    }

    #[test]
    fn wants_exactly_one() {
        assert_eq!(check(&[]), Err(HostRefused::NotOne));
        assert_eq!(check(&["localhost:7681"; 2]), Err(HostRefused::NotOne));
    }

    #[test]
    fn an_absolute_target_must_say_the_same() {
        let check = |target| policy().check(["localhost:7681"].into_iter(), Some(target), None);
        assert!(check("localhost:7681").is_ok());
        for target in ["evil.test", "127.0.0.1:7681", ""] {
            assert_eq!(check(target), Err(HostRefused::NotOurs), "{target}");
        }
    }

    #[test]
    fn port_80_may_be_left_out() {
        let policy = HostPolicy::network(Scheme::Http, 80, &[]);
        for host in ["localhost", "localhost:80", "[::1]"] {
            assert!(policy.check([host].into_iter(), None, None).is_ok(), "{host}");
        }
    }

    #[test]
    fn the_scheme_in_use_decides_between_two_origins() {
        let public = ["https://a.test", "http://a.test"].map(|text| text.parse().unwrap());
        let policy = HostPolicy::network(Scheme::Http, 7681, &public);
        let check = |host, scheme| policy.check([host].into_iter(), None, scheme);
        for (scheme, expect) in [
            (None, Scheme::Https),
            (Some(Scheme::Https), Scheme::Https),
            (Some(Scheme::Http), Scheme::Http),
        ] {
            assert_eq!(check("a.test", scheme).map(|host| host.scheme()), Ok(expect));
        }
        assert!(check("localhost:7681", Some(Scheme::Https)).is_err());
    }

    #[test]
    fn a_unix_socket_knows_no_ports() {
        let policy = HostPolicy::unix_socket();
        assert!(policy.check(["localhost"].into_iter(), None, None).is_ok());
        for host in ["localhost:80", "localhost:8080", "127.0.0.1", "evil.test", ""] {
            let result = policy.check([host].into_iter(), None, None);
            assert_eq!(result, Err(HostRefused::NotOurs), "{host}");
        }
    }

    proptest! {
        #[test]
        fn only_the_listed_names_pass(host in "[a-zA-Z0-9.:@\\[\\]-]{0,24}") {
            let listed = ["localhost:7681", "127.0.0.1:7681", "[::1]:7681"];
            prop_assert_eq!(check(&[&host]).is_ok(), listed.contains(&&*host));
        }

        #[test]
        fn additions_are_refused(extra in ".{1,8}") {
            let after = format!("localhost:7681{extra}");
            let before = format!("{extra}localhost:7681");
            prop_assert!(check(&[&after]).is_err());
            prop_assert!(check(&[&before]).is_err());
        }
    }
}
