//! Certificates from an authority that proves by itself who asks (ACME, RFC 8555).
//!
//! The proof is a handshake (tls-alpn-01, RFC 8737), so it needs no second port: the authority
//! connects to port 443 of the domain and expects a certificate that only the owner of the account
//! can have made. What is obtained lies in the state directory and is served by
//! [`crate::tls::Issued`]; nothing that fails here touches the certificate that is served.

mod https;
mod keeper;
mod order;
mod place;
mod schedule;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) use keeper::Keeper;

use crate::tls::{Issued, TlsError};

/// What to ask of whom.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Names for which the certificate is to be good; the first is the one that people see.
    pub domains: Vec<String>,
    /// Mail addresses at which the authority reaches whoever answers for them.
    pub contacts: Vec<String>,
    /// The authority's directory: an `https` address.
    pub directory: String,
    /// Authorities in PEM that vouch for the directory's own certificate, in place of the system's.
    pub directory_authorities: Option<PathBuf>,
    /// Where handshakes find what was obtained.
    pub issued: Arc<Issued>,
}

impl Settings {
    /// Looks whether the authority could be asked at all, and asks nobody.
    ///
    /// # Errors
    /// When nobody can vouch for it; the text is a sentence with the cure.
    pub fn check(&self) -> Result<(), TlsError> {
        https::Https::open(self.directory_authorities.as_deref()).map(drop)
    }
}

/// Why there is no new certificate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AcmeError {
    /// What is kept in the state directory cannot be read or written.
    #[error("keeping {}: {cause}", path.display())]
    Keeping {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The authority cannot be reached, or does not want to.
    #[error("authority: {0}")]
    Authority(String),
    /// Nobody vouches for the authority's own certificate.
    #[error(transparent)]
    Trust(#[from] TlsError),
    /// The authority has no way to prove this domain that we have.
    #[error("the authority does not offer tls-alpn-01 for {0}; choose another --acme-directory")]
    NoProof(String),
    /// The authority did not find us where it looked.
    #[error("{domain} was not proven: {cause}; port 443 of that name must lead to this gateway")]
    NotProven {
        /// The domain.
        domain: String,
        /// What the authority says.
        cause: String,
    },
    /// What the authority gave cannot be served.
    #[error("the certificate cannot be used: {0}")]
    Unusable(String),
    /// What the authority gave is to be replaced already.
    #[error("the certificate is for other names, or due at once; see that the clock is right")]
    Due,
    /// It has taken too long.
    #[error("the authority was not done after {0} s")]
    TooLong(u64),
}

impl From<instant_acme::Error> for AcmeError {
    fn from(error: instant_acme::Error) -> Self {
        Self::Authority(with_sources(&error))
    }
}

/// An error and what caused it, in one line.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let more = source.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        next = source.source();
    }
    text
}
