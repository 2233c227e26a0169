//! Options about single sign-on, and what they come to.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use hither_auth::Admission;
use hither_server::oidc::{Provider, Settings, is_trustworthy};
use http::Uri;

use crate::failure::{Exit, Failure};
use crate::values;

/// Most bytes of the name of a claim; those that are addresses are the longest.
const CLAIM_LEN_MAX: usize = 256;
/// A longer file holds no secret.
const SECRET_BYTES_MAX: u64 = 4096;

/// Single sign-on by a provider of `OpenID` Connect.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "OIDC")]
pub(crate) struct OidcArgs {
    /// Provider, exactly as it calls itself, as in https://id.example.org/realms/staff
    #[arg(long, value_name = "URL", value_parser = issuer)]
    pub(crate) oidc_issuer: Option<String>,
    /// Name under which the provider knows this gateway
    #[arg(long, value_name = "TEXT")]
    pub(crate) oidc_client_id: Option<String>,
    /// File with the secret that goes with that name, readable by its owner only
    #[arg(long, value_name = "PATH")]
    pub(crate) oidc_client_secret_file: Option<PathBuf>,
    /// Authorities in PEM that vouch for the provider [default: those of the system]
    #[arg(long, value_name = "PATH")]
    pub(crate) oidc_ca: Option<PathBuf>,
    /// What the provider is asked for besides openid
    #[arg(
        long,
        value_name = "SCOPE",
        value_delimiter = ',',
        default_value = "profile",
        value_parser = scope
    )]
    pub(crate) oidc_scope: Vec<String>,
    /// Claim that is the user's name here
    #[arg(long, value_name = "CLAIM", default_value = "preferred_username", value_parser = claim)]
    pub(crate) oidc_user_claim: String,
    /// Claim that lists the user's groups
    #[arg(long, value_name = "CLAIM", default_value = "groups", value_parser = claim)]
    pub(crate) oidc_group_claim: String,
    /// User who may come in, as the provider writes the name; * is everybody it knows
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) oidc_allow_user: Vec<String>,
    /// Group whose members may come in
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub(crate) oidc_allow_group: Vec<String>,
    /// Group whose members may come in and see the sessions of everybody
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub(crate) oidc_admin_group: Vec<String>,
    /// What the button on the login page calls the provider
    #[arg(long, value_name = "TEXT", default_value = "single sign-on", value_parser = values::label)]
    pub(crate) oidc_label: String,
}

fn issuer(text: &str) -> Result<String, String> {
    let uri = text.parse::<Uri>().ok().filter(is_trustworthy);
    // OpenID Connect Discovery 1.0, section 3: no query, and a fragment is none of an address.
    match uri {
        Some(uri) if uri.query().is_none() && !text.contains('#') => Ok(text.to_owned()),
        _ => Err("expected an address with https, or with http on this machine".to_owned()),
    }
}

/// RFC 6749, section 3.3. An empty one stands for none besides `openid`.
fn scope(text: &str) -> Result<String, String> {
    let fits = text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
    fits.then(|| text.to_owned()).ok_or_else(|| "expected one word, as in profile".to_owned())
}

fn claim(text: &str) -> Result<String, String> {
    let fits = (1..=CLAIM_LEN_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned()).ok_or_else(|| "expected a name, as in groups".to_owned())
}

impl OidcArgs {
    /// The provider, with all files read; none without an issuer.
    pub(crate) fn provider(&self, no_auth: bool) -> Result<Option<Arc<Provider>>, Failure> {
        let refuse =
            |message: &str, cure: &str| Err(Failure::new(Exit::Configuration, message).cure(cure));
        let Some(issuer) = &self.oidc_issuer else {
            return match self.stray() {
                Some(option) => refuse(
                    &format!("{option} is of no use alone"),
                    "name the provider with --oidc-issuer too",
                ),
                None => Ok(None),
            };
        };
        if no_auth {
            let message = "nobody would be asked to sign on: --no-auth lets everybody in";
            return refuse(message, "leave out --no-auth, or --oidc-issuer");
        }
        let Some(client_id) = self.oidc_client_id.clone().filter(|id| !id.is_empty()) else {
            let message = "--oidc-issuer is of no use alone";
            return refuse(
                message,
                "give --oidc-client-id too, as the provider knows this gateway",
            );
        };
        let admission = Admission {
            users: self.oidc_allow_user.clone(),
            groups: self.oidc_allow_group.clone(),
            admin_groups: self.oidc_admin_group.clone(),
        };
        if admission == Admission::default() {
            let message = "nobody could come in by single sign-on";
            let cure = "name users with --oidc-allow-user or groups with --oidc-allow-group; \
                        --oidc-allow-user '*' lets everybody in whom the provider knows";
            return refuse(message, cure);
        }
        let secret = self.oidc_client_secret_file.as_deref().map(read_secret).transpose()?;
        let provider = Provider::open(Settings {
            issuer: issuer.clone(),
            client_id,
            client_secret: secret,
            scopes: self.oidc_scope.iter().filter(|scope| !scope.is_empty()).cloned().collect(),
            name_claim: self.oidc_user_claim.clone(),
            group_claim: self.oidc_group_claim.clone(),
            admission,
            label: self.oidc_label.clone(),
            authorities: self.oidc_ca.clone(),
        });
        let provider =
            provider.map_err(|error| Failure::new(Exit::Configuration, error.to_string()))?;
        Ok(Some(Arc::new(provider)))
    }

    /// An option that means something with a provider only.
    fn stray(&self) -> Option<&'static str> {
        [
            (self.oidc_client_id.is_some(), "--oidc-client-id"),
            (self.oidc_client_secret_file.is_some(), "--oidc-client-secret-file"),
            (self.oidc_ca.is_some(), "--oidc-ca"),
            (!self.oidc_allow_user.is_empty(), "--oidc-allow-user"),
            (!self.oidc_allow_group.is_empty(), "--oidc-allow-group"),
            (!self.oidc_admin_group.is_empty(), "--oidc-admin-group"),
        ]
        .into_iter()
        .find_map(|(given, option)| given.then_some(option))
    }
}

/// The secret in a file that nobody else can read.
fn read_secret(path: &Path) -> Result<String, Failure> {
    let failure = |message: String, cure: String| {
        let message = format!("secret of the OIDC client, {}: {message}", path.display());
        Failure::new(Exit::Configuration, message).cure(cure)
    };
    let another = || "name another file with --oidc-client-secret-file".to_owned();
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) =
        opened.map_err(|error| failure(format!("cannot be read: {error}"), another()))?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        let cure = format!("run `chmod 600 {}`", path.display());
        return Err(failure(format!("may be read by others (mode {mode:04o})"), cure));
    }
    let mut text = String::new();
    let read = file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text);
    read.map_err(|error| failure(format!("cannot be read: {error}"), another()))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() || secret.len() as u64 > SECRET_BYTES_MAX {
        let message = format!("expected a secret of 1 to {SECRET_BYTES_MAX} bytes");
        return Err(failure(message, another()));
    }
    Ok(secret.to_owned())
}
