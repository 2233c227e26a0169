//! Which servers are believed, and why one is not.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use thiserror::Error;

/// Longest file of authorities: a system's whole list has a few hundred thousand bytes.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// The authorities that may vouch for a server (TLS 1.2 and 1.3).
#[derive(Clone)]
pub struct Trust(Arc<ClientConfig>);

/// Why there are no authorities.
#[derive(Debug, Error)]
pub enum TrustError {
    /// The system's list is empty or cannot be found.
    #[error("this system has no list of certificate authorities")]
    NoSystemList,
    /// A file cannot be read, or is too long.
    #[error("certificate authorities {} cannot be read: {error}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file holds something else.
    #[error("{} holds no certificate in PEM that can be used", .0.display())]
    NotPem(PathBuf),
}

/// Why a server is not believed.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The one who vouches for it is not among the authorities.
    #[error("the server's certificate is from an authority that is not trusted here")]
    UnknownAuthority,
    /// The certificate is for other names.
    #[error("the server's certificate is not for {expected} but for {presented}")]
    OtherName {
        /// Name or address in the server's address.
        expected: String,
        /// The names in the certificate, as the server sent them.
        presented: String,
    },
    /// Its time is over.
    #[error("the server's certificate has expired")]
    Expired,
    /// Its time has not come.
    #[error("the server's certificate is not valid yet")]
    NotYetValid,
    /// It is marked as one that signs others (RFC 5280 section 4.2.1.9).
    #[error("the server's certificate is that of an authority, not that of a server")]
    IsAuthority,
    /// What answers speaks something else, or hung up.
    #[error("what answers there does not speak TLS")]
    NotTls,
    /// The name in the address is none that a certificate can be for.
    #[error("\"{0}\" is neither a host name nor an address")]
    BadName(String),
    /// Anything else.
    #[error("the TLS handshake failed: {0}")]
    Other(#[source] rustls::Error),
}

impl Trust {
    /// Trusts those whom the system trusts.
    ///
    /// # Errors
    /// When the system trusts nobody.
    pub fn of_system() -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        // One of the system's that cannot be read is one that vouches for nobody.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(TrustError::NoSystemList);
        }
        Ok(Self::new(roots))
    }

    /// Trusts those in a file in PEM, of at most 4 MiB, and nobody else.
    ///
    /// # Errors
    /// When the file cannot be read or holds no certificate that can be used.
    pub fn of_file(path: &Path) -> Result<Self, TrustError> {
        let unreadable = |error| TrustError::Unreadable { path: path.into(), error };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > FILE_BYTES_MAX {
            let words = format!("file of {size} bytes exceeds limit of {FILE_BYTES_MAX}");
            return Err(unreadable(io::Error::other(words)));
        }
        let pem = std::fs::read(path).map_err(unreadable)?;
        Self::of_pem(&pem).ok_or_else(|| TrustError::NotPem(path.into()))
    }

    /// Trusts those in a text in PEM, and nobody else; `None` when there is none, or one that cannot
    /// be used.
    #[must_use]
    pub fn of_pem(pem: &[u8]) -> Option<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.add(certificate.ok()?).ok()?;
        }
        (!roots.is_empty()).then(|| Self::new(roots))
    }

    /// The settings of a connection, which speaks HTTP/1.1 inside: WebSockets know no other.
    #[must_use]
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }

    pub(crate) fn new(roots: RootCertStore) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has cipher suites for both versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self(Arc::new(config))
    }
}

impl TlsError {
    /// What a failed handshake means, when it was no failure of the network.
    #[must_use]
    pub fn of_handshake(error: &io::Error) -> Option<Self> {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Some(Self::NotTls);
        }
        let cause = error.get_ref()?.downcast_ref::<rustls::Error>()?;
        Some(if let rustls::Error::InvalidCertificate(flaw) = cause {
            Self::of_certificate(flaw, cause)
        } else if let rustls::Error::InvalidMessage(_) = cause {
            Self::NotTls
        } else {
            Self::Other(cause.clone())
        })
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the list of flaws is another crate's")]
    fn of_certificate(flaw: &CertificateError, cause: &rustls::Error) -> Self {
        match flaw {
            // The second: an authority of the same name with another key.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Self::UnknownAuthority
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::NotValidForNameContext { expected, presented } => {
                let presented = match presented.as_slice() {
                    [] => "no name at all".to_owned(),
                    names => names.join(", "),
                };
                Self::OtherName { expected: expected.to_str().into_owned(), presented }
            }
            CertificateError::Other(other)
                if matches!(
                    other.0.downcast_ref::<webpki::Error>(),
                    Some(webpki::Error::CaUsedAsEndEntity)
                ) =>
            {
                Self::IsAuthority
            }
            _ => Self::Other(cause.clone()),
        }
    }
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trust")
    }
}
