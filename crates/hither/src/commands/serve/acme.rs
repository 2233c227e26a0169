//! Options about an authority that issues the certificate by itself.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use hither_server::acme::Settings;
use hither_server::tls::Issued;

use crate::failure::{Exit, Failure};
use crate::values;

/// The directory of Let's Encrypt.
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// A certificate from an authority (ACME, RFC 8555).
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "ACME")]
pub(crate) struct AcmeArgs {
    /// Name for which an authority is asked for a certificate; may be given several times. Port 443
    /// of that name must lead here
    #[arg(long, value_name = "DOMAIN", value_parser = values::domain)]
    pub(crate) acme_domain: Vec<String>,
    /// Mail address for what the authority has to say; may be given several times
    #[arg(long, value_name = "MAIL", value_parser = values::mail_address)]
    pub(crate) acme_contact: Vec<String>,
    /// The authority's directory [default: that of Let's Encrypt]
    #[arg(long, value_name = "URL", value_parser = values::https_url)]
    pub(crate) acme_directory: Option<String>,
    /// Authorities in PEM that vouch for the directory itself, in place of the system's
    #[arg(long, value_name = "PATH")]
    pub(crate) acme_ca: Option<PathBuf>,
    /// Agree to the authority's terms of service
    #[arg(long)]
    pub(crate) acme_accept_terms: bool,
}

impl AcmeArgs {
    /// Whether an authority is to be asked at all.
    pub(super) const fn is_wanted(&self) -> bool {
        !self.acme_domain.is_empty()
    }

    /// What to ask of whom; none when nobody is to be asked.
    pub(super) fn settings(&self) -> Result<Option<Settings>, Failure> {
        let refuse =
            |message: &str, cure: &str| Err(Failure::new(Exit::Configuration, message).cure(cure));
        if !self.is_wanted() {
            let alone = [
                ("--acme-contact", !self.acme_contact.is_empty()),
                ("--acme-directory", self.acme_directory.is_some()),
                ("--acme-ca", self.acme_ca.is_some()),
                ("--acme-accept-terms", self.acme_accept_terms),
            ];
            return match alone.into_iter().find(|(_, given)| *given) {
                Some((option, _)) => {
                    refuse(&format!("{option} is of no use alone"), "give --acme-domain too")
                }
                None => Ok(None),
            };
        }
        if !self.acme_accept_terms {
            return refuse(
                "an authority issues certificates only to those who agree to its terms",
                "read them where the authority publishes them, then say --acme-accept-terms",
            );
        }
        let settings = Settings {
            domains: self.acme_domain.clone(),
            contacts: self.acme_contact.clone(),
            directory: self.acme_directory.clone().unwrap_or_else(|| LETS_ENCRYPT.to_owned()),
            directory_authorities: self.acme_ca.clone(),
            issued: Arc::new(Issued::default()),
        };
        let checked = settings.check();
        checked.map_err(|error| Failure::new(Exit::Configuration, error.to_string()))?;
        Ok(Some(settings))
    }
}
