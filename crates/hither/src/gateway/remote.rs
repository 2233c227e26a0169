//! A gateway at an address, and the token that opens it.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use hither_client::{Address, Server};
use http::Uri;

use super::Gateway;
use crate::cli::RuntimeDirArgs;
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
    /// Ask the gateway at this address, as http://127.0.0.1:7681, not that of the runtime directory;
    /// the token comes from HITHER_TOKEN or --token-file
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
}

/// A gateway at an address.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Remote {
    /// Host and port, as in the header `Host`.
    authority: String,
    host: String,
    port: u16,
    token: Option<String>,
}

impl GatewayArgs {
    /// The gateway that is meant.
    pub(crate) fn gateway(&self) -> Result<Gateway, Failure> {
        match &self.url {
            None => Ok(Gateway::new(self.runtime_dir.resolve())),
            Some(url) => Ok(Gateway::Remote(self.remote(url)?)),
        }
    }

    /// The gateway at `url`, whose path and query do not matter.
    pub(crate) fn remote(&self, url: &str) -> Result<Remote, Failure> {
        let token = match &self.token_file {
            Some(path) => Some(read_token(path)?),
            None => std::env::var(TOKEN).ok().filter(|token| !token.is_empty()),
        };
        if token.as_ref().is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            let message = "the API token has characters that no token has";
            return Err(Failure::new(Exit::Usage, message).cure("see where it comes from"));
        }
        Remote::parse(url, token)
    }
}

impl Remote {
    fn parse(url: &str, token: Option<String>) -> Result<Self, Failure> {
        let wrong = |message: &str, cure: &str| {
            Err(Failure::new(Exit::Usage, message.to_owned()).cure(cure.to_owned()))
        };
        let uri = url.parse::<Uri>().ok();
        let parts = uri.as_ref().and_then(|uri| Some((uri.scheme_str()?, uri.authority()?)));
        let Some((scheme, authority)) = parts else {
            return wrong(
                "the address of a gateway cannot be understood",
                "as in http://HOST:PORT",
            );
        };
        if authority.as_str().contains('@') {
            return wrong("an address must not hold a secret", "put the token into HITHER_TOKEN");
        }
        if scheme != "http" {
            let cure = "reach it by `ssh -L 7681:localhost:7681 MACHINE` and http://localhost:7681";
            return wrong("this command line speaks no TLS", cure);
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let port = authority.port_u16().unwrap_or(80);
        Ok(Self { authority: authority.to_string(), host, port, token })
    }

    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    pub(super) fn endpoint(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    pub(super) fn authorization(&self) -> Option<String> {
        self.token.as_ref().map(|token| format!("Bearer {token}"))
    }

    pub(super) fn server(&self) -> Server {
        let address = Address::Tcp(self.host.clone(), self.port);
        Server { address, authorization: self.authorization() }
    }
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote").field("authority", &self.authority).finish_non_exhaustive()
    }
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
    fn an_address_is_a_scheme_a_host_and_a_port() {
        for (url, expect) in [
            ("http://127.0.0.1:7681", Some(("127.0.0.1", 7681))),
            ("http://localhost:7681/s/abc", Some(("localhost", 7681))),
            ("http://[::1]:80/", Some(("::1", 80))),
            ("http://box", Some(("box", 80))),
            ("https://box", None),
            ("box:80", None),
            ("http://user:secret@box", None),
            ("", None),
        ] {
            let remote = Remote::parse(url, None).ok();
            assert_eq!(remote.as_ref().map(Remote::endpoint), expect, "{url}");
        }
    }

    #[test]
    fn the_token_is_not_in_what_is_printed() {
        let remote = Remote::parse("http://box", Some("secret".to_owned())).unwrap();
        assert!(!format!("{remote:?}").contains("secret"));
        assert_eq!(remote.authorization().unwrap(), "Bearer secret");
    }
}
