//! A gateway at an address, and the token that opens it.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use hither_client::{Address, Server, TlsError, Trust, TrustError};
use hither_core::SessionId;
use hither_server::oidc::is_trustworthy;
use http::Uri;

use super::Gateway;
use crate::cli::RuntimeDirArgs;
use crate::escape::Escaped;
use crate::failure::{Exit, Failure};

/// Name of the variable with the token. There is no option for it: other users see arguments.
const TOKEN: &str = "HITHER_TOKEN";
/// A longer file holds no token.
const TOKEN_BYTES_MAX: u64 = 4096;

/// Which gateway is asked: that of this user on this machine, or one at an address.
#[derive(Clone, Debug, Args)]
pub(crate) struct GatewayArgs {
    #[command(flatten)]
    runtime_dir: RuntimeDirArgs,
    /// Ask the gateway at this address, as https://box.example.org or http://127.0.0.1:7681/term, not
    /// that of the runtime directory; the token comes from HITHER_TOKEN or --token-file
    #[arg(
        long,
        value_name = "URL",
        env = "HITHER_URL",
        hide_env_values = true,
        help_heading = "General"
    )]
    url: Option<String>,
    /// File with an API token, for --url
    #[arg(long, value_name = "PATH", help_heading = "General")]
    token_file: Option<PathBuf>,
    /// File with the certificates, in PEM, of the authorities that may vouch for an https address;
    /// without it those of the system
    #[arg(
        long,
        value_name = "FILE",
        env = "HITHER_CA",
        hide_env_values = true,
        help_heading = "General"
    )]
    ca: Option<PathBuf>,
}

/// A gateway at an address.
#[derive(Clone)]
pub(crate) struct Remote {
    place: Place,
    token: Option<String>,
    /// For https.
    trust: Option<Trust>,
}

/// What an address says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    /// Host and port, as in the header `Host`.
    authority: String,
    host: String,
    port: u16,
    is_tls: bool,
    /// Whether somebody on the way there can read what is said.
    is_overheard: bool,
    /// Without a slash at its end.
    base_path: String,
}

impl GatewayArgs {
    /// The gateway that is meant.
    pub(crate) fn gateway(&self) -> Result<Gateway, Failure> {
        match &self.url {
            None => Ok(Gateway::new(self.runtime_dir.resolve())),
            Some(url) => Ok(Gateway::Remote(self.remote(url)?)),
        }
    }

    /// The gateway at `url`: at the address of its page, or of one of its sessions'.
    pub(crate) fn remote(&self, url: &str) -> Result<Remote, Failure> {
        let token = match &self.token_file {
            Some(path) => Some(read_token(path)?),
            None => std::env::var(TOKEN).ok().filter(|token| !token.is_empty()),
        };
        if token.as_ref().is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            let message = "the API token has characters that no token has";
            return Err(Failure::new(Exit::Usage, message).cure("see where it comes from"));
        }
        let place = Place::parse(url)?;
        if token.is_some() && place.is_overheard {
            let message = "the API token would travel unencrypted";
            let cure = "ask over https, or through a tunnel to this machine (ssh -L)";
            return Err(Failure::new(Exit::Usage, message).cure(cure));
        }
        let trust = match (&self.ca, place.is_tls) {
            (_, false) => None,
            (Some(path), true) => Some(Trust::of_file(path)?),
            (None, true) => Some(Trust::of_system()?),
        };
        Ok(Remote { place, token, trust })
    }
}

impl Place {
    fn parse(url: &str) -> Result<Self, Failure> {
        let wrong = |message: &str, cure: &str| {
            Err(Failure::new(Exit::Usage, message.to_owned()).cure(cure.to_owned()))
        };
        let uri = url.parse::<Uri>().ok();
        let parts = uri.as_ref().and_then(|uri| Some((uri, uri.scheme_str()?, uri.authority()?)));
        let Some((uri, scheme, authority)) = parts else {
            return wrong(
                "the address of a gateway cannot be understood",
                "as in https://HOST or http://HOST:PORT",
            );
        };
        if authority.as_str().contains('@') {
            return wrong("an address must not hold a secret", "put the token into HITHER_TOKEN");
        }
        let is_tls = match scheme {
            "http" => false,
            "https" => true,
            _ => return wrong("a gateway is asked over http or https", "as in https://HOST"),
        };
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let base_path = base_path(uri.path()).to_owned();
        let is_overheard = !is_trustworthy(uri);
        Ok(Self { authority: authority.to_string(), host, port, is_tls, is_overheard, base_path })
    }
}

/// The path below which the gateway is, when `path` is that of its page or of a session's.
fn base_path(path: &str) -> &str {
    let of_session = path.rsplit_once("/s/").filter(|(_, rest)| {
        let id = rest.split('/').next().unwrap_or_default();
        id.parse::<SessionId>().is_ok()
    });
    of_session.map_or(path, |(before, _)| before).trim_end_matches('/')
}

impl Remote {
    /// Where its pages are, without a slash at the end.
    pub(super) fn address(&self) -> String {
        let Place { authority, base_path, is_tls, .. } = &self.place;
        format!("{}://{authority}{base_path}", if *is_tls { "https" } else { "http" })
    }

    pub(super) fn authority(&self) -> &str {
        &self.place.authority
    }

    pub(super) fn endpoint(&self) -> (&str, u16) {
        (&self.place.host, self.place.port)
    }

    pub(super) fn base_path(&self) -> &str {
        &self.place.base_path
    }

    pub(super) const fn trust(&self) -> Option<&Trust> {
        self.trust.as_ref()
    }

    pub(super) fn authorization(&self) -> Option<String> {
        self.token.as_ref().map(|token| format!("Bearer {token}"))
    }

    pub(super) fn server(&self) -> Server {
        let (host, port) = self.endpoint();
        let mut server = Server::new(Address::Tcp(host.to_owned(), port)).below(self.base_path());
        if let Some(trust) = self.trust() {
            server = server.over_tls(trust.clone());
        }
        match self.authorization() {
            Some(authorization) => server.authorized(authorization),
            None => server,
        }
    }
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote").field("place", &self.place).finish_non_exhaustive()
    }
}

impl From<TrustError> for Failure {
    fn from(error: TrustError) -> Self {
        let cure = match &error {
            TrustError::NoSystemList => {
                "install the package ca-certificates, or name a file with --ca"
            }
            TrustError::Unreadable { .. } | TrustError::NotPem(_) => {
                "name with --ca the file that holds the authority's certificate"
            }
        };
        Self::new(Exit::Usage, error.to_string()).cure(cure)
    }
}

/// What to do about a server that is not believed.
pub(super) fn tls_failure(error: &TlsError) -> Failure {
    let cure = match error {
        TlsError::UnknownAuthority => {
            "if it is yours, name the file with its authority's certificate with --ca"
        }
        TlsError::OtherName { .. } => "use a name that it is for",
        TlsError::Expired => "have it renewed, and see whether the clock here is right",
        TlsError::NotYetValid => "see whether the clock here is right",
        TlsError::IsAuthority => {
            "make the server one with basicConstraints CA:FALSE, as docs/deploy.md shows"
        }
        TlsError::NotTls => "see whether the port is right, and whether it is http that is spoken",
        TlsError::BadName(_) => "write the address as https://HOST",
        TlsError::Other(_) => "see the gateway's log",
    };
    let message = error.to_string();
    Failure::new(Exit::Refused, Escaped(&message).to_string()).cure(cure)
}

fn read_token(path: &Path) -> Result<String, Failure> {
    let text = match fs::metadata(path) {
        Ok(meta) if meta.len() <= TOKEN_BYTES_MAX => fs::read_to_string(path),
        Ok(_) => Err(std::io::Error::other(format!("expected at most {TOKEN_BYTES_MAX} bytes"))),
        Err(error) => Err(error),
    };
    let text = text.map_err(|error| {
        let message = format!("token file {} cannot be read: {error}", path.display());
        Failure::new(Exit::Usage, message).cure("name another one with --token-file")
    })?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_a_host_a_port_and_a_base_path() {
        for (url, expect) in [
            ("http://127.0.0.1:7681", Some(("127.0.0.1", 7681, false, ""))),
            ("http://localhost:7681/s/aaaaaaaaaaaaaaaa", Some(("localhost", 7681, false, ""))),
            ("http://[::1]:80/", Some(("::1", 80, false, ""))),
            ("http://box", Some(("box", 80, false, ""))),
            ("https://box", Some(("box", 443, true, ""))),
            ("https://box:8443/term/?x#y", Some(("box", 8443, true, "/term"))),
            ("https://box/term/s/aaaaaaaaaaaaaaaa", Some(("box", 443, true, "/term"))),
            ("https://box/s/s/aaaaaaaaaaaaaaaa?x", Some(("box", 443, true, "/s"))),
            ("https://box/s/deep", Some(("box", 443, true, "/s/deep"))),
            ("wss://box", None),
            ("box:80", None),
            ("http://user:secret@box", None),
            ("", None),
        ] {
            let place = Place::parse(url).ok();
            let found = place.as_ref().map(|place| {
                (place.host.as_str(), place.port, place.is_tls, place.base_path.as_str())
            });
            assert_eq!(found, expect, "{url}");
        }
    }

    #[test]
    fn the_token_is_not_in_what_is_printed() {
        let place = Place::parse("http://box").unwrap();
        let remote = Remote { place, token: Some("secret".to_owned()), trust: None };
        assert!(!format!("{remote:?}").contains("secret"));
        assert_eq!(remote.authorization().unwrap(), "Bearer secret");
    }
}
