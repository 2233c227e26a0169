//! Names of targets: `floor-ws`, `hither`, `ttyd=/usr/bin/ttyd`, `gotty:ws://host:8080/ws`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;
use thiserror::Error;

use crate::floor::FloorMode;
use crate::wire::Protocol;

/// A server to be measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// How the report calls it.
    pub(crate) name: String,
    /// What it is.
    pub(crate) kind: TargetKind,
}

/// What a target is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TargetKind {
    /// The bench's own floor.
    Floor(FloorMode),
    /// `hither serve` of the binary under test.
    Hither(Hither),
    /// A ttyd binary.
    Ttyd(PathBuf),
    /// A gotty binary.
    Gotty(PathBuf),
    /// A server that runs already.
    Url(Protocol, Url),
}

/// A gateway of our own, as it is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hither {
    /// The protocol in which it is spoken to.
    pub(crate) protocol: Protocol,
    pub(crate) guard: Guard,
    /// Further options.
    pub(crate) options: Vec<String>,
}

/// Whom a gateway lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Everybody.
    Open,
    /// Whoever shows the token that the gateway keeps for programs of its own user.
    Token,
    /// The same, over TLS.
    TokenAndTls,
}

/// The address of a server that runs already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    /// Host and port.
    pub(crate) authority: String,
    /// Path and query.
    pub(crate) path: String,
}

/// A text that names no target.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "a target is floor, floor-ws, floor-http, hither, hither-guarded, hither-tls, hither-ttyd, \
     hither-plan, ttyd=PATH, gotty=PATH or PROTOCOL:ws://HOST:PORT/PATH, not {0:?}"
)]
pub(crate) struct InvalidTarget(String);

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let (text, options) = match text.split_once('+') {
            Some((text, options)) => (text, options.split('+').map(str::to_owned).collect()),
            None => (text, Vec::new()),
        };
        let options: Vec<String> = options;
        let name = std::iter::once(text).chain(options.iter().map(String::as_str));
        let name = name.collect::<Vec<_>>().join("+");
        let kind = parse_kind(text, &options).ok_or_else(|| InvalidTarget(text.to_owned()))?;
        let named = matches!(kind, TargetKind::Ttyd(_) | TargetKind::Gotty(_));
        let name = if named { text.split('=').next().unwrap_or(text).to_owned() } else { name };
        Ok(Self { name, kind })
    }
}

impl Target {
    /// The protocol in which it is spoken to.
    #[must_use]
    pub(crate) const fn protocol(&self) -> Protocol {
        match &self.kind {
            TargetKind::Floor(FloorMode::Raw) => Protocol::Raw,
            TargetKind::Floor(FloorMode::Http) => Protocol::Http,
            TargetKind::Floor(FloorMode::WebSocket) | TargetKind::Ttyd(_) => Protocol::Ttyd,
            TargetKind::Gotty(_) => Protocol::Gotty,
            TargetKind::Hither(hither) => hither.protocol,
            TargetKind::Url(protocol, _) => *protocol,
        }
    }

    /// Whether it takes the requests of the HTTP scenario.
    #[must_use]
    pub(crate) const fn has_requests(&self) -> bool {
        self.has_sessions() || !self.has_terminals()
    }

    /// Whether one can connect to a terminal.
    #[must_use]
    pub(crate) const fn has_terminals(&self) -> bool {
        !matches!(&self.kind, TargetKind::Floor(FloorMode::Http))
    }

    /// Whom it lets in: everybody, if it is none of ours.
    #[must_use]
    pub(crate) const fn guard(&self) -> Guard {
        match &self.kind {
            TargetKind::Hither(hither) => hither.guard,
            TargetKind::Floor(_)
            | TargetKind::Ttyd(_)
            | TargetKind::Gotty(_)
            | TargetKind::Url(..) => Guard::Open,
        }
    }

    /// Whether it has the HTTP API and sessions that outlive a connection.
    #[must_use]
    pub(crate) const fn has_sessions(&self) -> bool {
        matches!(&self.kind, TargetKind::Hither(_)) || self.protocol().creates_sessions()
    }
}

fn parse_kind(text: &str, options: &[String]) -> Option<TargetKind> {
    let with =
        |protocol, guard| TargetKind::Hither(Hither { protocol, guard, options: options.to_vec() });
    let hither = |protocol| with(protocol, Guard::Open);
    let known = match text {
        "floor" => TargetKind::Floor(FloorMode::Raw),
        "floor-ws" => TargetKind::Floor(FloorMode::WebSocket),
        "floor-http" => TargetKind::Floor(FloorMode::Http),
        "hither" => return Some(hither(Protocol::Hither)),
        "hither-guarded" => return Some(with(Protocol::Hither, Guard::Token)),
        "hither-tls" => return Some(with(Protocol::Hither, Guard::TokenAndTls)),
        "hither-ttyd" => return Some(hither(Protocol::Ttyd)),
        "hither-plan" => return Some(hither(Protocol::Plan)),
        _ => parse_foreign(text)?,
    };
    options.is_empty().then_some(known)
}

fn parse_foreign(text: &str) -> Option<TargetKind> {
    match text.split_once('=') {
        Some(("ttyd", path)) => return Some(TargetKind::Ttyd(path.into())),
        Some(("gotty", path)) => return Some(TargetKind::Gotty(path.into())),
        _ => {}
    }
    let (protocol, url) = text.split_once(':')?;
    let protocol = Protocol::from_str(protocol, false).ok()?;
    let rest = url.strip_prefix("ws://").or_else(|| url.strip_prefix("http://"))?;
    let (authority, path) = match rest.find('/') {
        Some(slash) => (&rest[..slash], &rest[slash..]),
        None => (rest, protocol.default_path()),
    };
    let plain = |c: char| c.is_ascii_graphic();
    let valid = !authority.is_empty() && rest.chars().all(plain);
    let url = Url { authority: authority.to_owned(), path: path.to_owned() };
    valid.then_some(TargetKind::Url(protocol, url))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> TargetKind {
        text.parse::<Target>().unwrap().kind
    }

    #[test]
    fn names_its_targets() {
        assert_eq!(kind("floor-ws"), TargetKind::Floor(FloorMode::WebSocket));
        let hither = |protocol, guard, options: &[&str]| {
            let options = options.iter().map(|&option| option.to_owned()).collect();
            TargetKind::Hither(Hither { protocol, guard, options })
        };
        assert_eq!(kind("hither-plan"), hither(Protocol::Plan, Guard::Open, &[]));
        assert_eq!(
            kind("hither+--spin=50+--workers=1"),
            hither(Protocol::Hither, Guard::Open, &["--spin=50", "--workers=1"])
        );
        let guarded = hither(Protocol::Hither, Guard::Token, &["--spin=50"]);
        assert_eq!(kind("hither-guarded+--spin=50"), guarded);
        assert_eq!(kind("ttyd=/bin/ttyd"), TargetKind::Ttyd("/bin/ttyd".into()));
        assert_eq!("ttyd=/bin/ttyd".parse::<Target>().unwrap().name, "ttyd");
        let url = Url { authority: "h:8080".into(), path: "/ws".into() };
        assert_eq!(kind("gotty:ws://h:8080"), TargetKind::Url(Protocol::Gotty, url));
        let url = Url { authority: "h:1".into(), path: "/a?b=c".into() };
        assert_eq!(kind("terminado:http://h:1/a?b=c"), TargetKind::Url(Protocol::Terminado, url));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for text in ["", "telnet", "ttyd", "ttyd:h:1", "gotty:wss://h", "floor+--x", "raw:ws://"] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
