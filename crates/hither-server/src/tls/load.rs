//! From certificates to a configuration.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};

use super::issued::{Issued, PROOF_ALPN};

/// Protocols spoken after the handshake, best first (RFC 7301). WebSockets are HTTP/1.1, which
/// browsers ask for when they open one.
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];
/// Most bytes of one file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What a TLS listener serves, and whom it knows.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// The server's certificate.
    pub own: OwnCertificate,
    /// Whose client certificates are good, if they are asked for.
    pub clients: Option<ClientCertificates>,
}

/// Where the server's certificate comes from.
#[derive(Clone, Debug)]
pub enum OwnCertificate {
    /// From files in PEM.
    Files {
        /// The certificate, then those between it and its root.
        certificate: PathBuf,
        /// Its private key; readable by its owner only.
        key: PathBuf,
    },
    /// From an authority. Until there is one, handshakes fail.
    Issued(Arc<Issued>),
}

/// Whose client certificates are good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificates {
    /// Certificates of the authorities that sign them.
    pub authorities: PathBuf,
    /// Lists of those that were revoked. With a list, a certificate that no list covers is refused.
    pub revoked: Option<PathBuf>,
    /// Who they stand for: a URI among the certificate's names, and a user. One without such a URI
    /// stands for nobody.
    pub users: Vec<(String, String)>,
}

/// Why there is no TLS. Each text is a sentence with the cure.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{what} {} cannot be read: {cause}; name another one", path.display())]
    Unreadable {
        /// What should be in it.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Others than its owner may read the key.
    #[error(
        "private key {} may be read by others (mode {mode:04o}); run `chmod 600 {}`",
        path.display(),
        path.display()
    )]
    OpenKey {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// There is nothing of the kind in the file.
    #[error("{} holds no {what} in PEM; name a file that does", path.display())]
    Empty {
        /// What was expected.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The certificate and the key do not belong together.
    #[error(
        "certificate {} does not belong to private key {}; name the two that were made together",
        certificate.display(),
        key.display()
    )]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// Whoever is asked cannot prove itself.
    #[error("this system trusts no certificate authority; install ca-certificates, or name a file")]
    NobodyTrusted,
    /// What is in the files cannot be used.
    #[error("{what} {} cannot be used: {cause}; name another one", path.display())]
    Unusable {
        /// What it should be.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: String,
    },
}

impl TlsSettings {
    /// All files, for whoever wants to know whether they have changed.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        let clients = self.clients.iter();
        let clients = clients.flat_map(|clients| {
            [Some(&clients.authorities), clients.revoked.as_ref()].into_iter().flatten()
        });
        let own = match &self.own {
            OwnCertificate::Files { certificate, key } => vec![certificate, key],
            OwnCertificate::Issued(_) => Vec::new(),
        };
        own.into_iter().chain(clients).map(PathBuf::as_path)
    }

    /// Reads the files and makes a configuration of them: TLS 1.2 and 1.3, with the cipher suites
    /// that rustls deems safe.
    ///
    /// # Errors
    /// When a file is missing, open to others, or not what it should be.
    pub(super) fn load(&self) -> Result<ServerConfig, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .expect("ring has cipher suites for both versions");
        let builder = match &self.clients {
            Some(clients) => builder.with_client_cert_verifier(clients.load()?),
            None => builder.with_no_client_auth(),
        };
        let mut alpn = ALPN.to_vec();
        let mut config = match &self.own {
            OwnCertificate::Files { certificate, key } => {
                let chain = certificates("certificate", certificate)?;
                let served = builder.with_single_cert(chain, load_key(key)?);
                served.map_err(|error| {
                    if let rustls::Error::InconsistentKeys(_) = error {
                        let (certificate, key) = (certificate.clone(), key.clone());
                        TlsError::Mismatch { certificate, key }
                    } else {
                        unusable("certificate", certificate, &error)
                    }
                })?
            }
            OwnCertificate::Issued(issued) => {
                alpn.push(PROOF_ALPN);
                builder.with_cert_resolver(Arc::<Issued>::clone(issued))
            }
        };
        config.alpn_protocols = alpn.into_iter().map(<[u8]>::to_vec).collect();
        Ok(config)
    }
}

fn load_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let (pem, mode) = read("private key", path)?;
    if mode & 0o077 != 0 {
        return Err(TlsError::OpenKey { path: path.into(), mode });
    }
    let none = |_| TlsError::Empty { what: "private key", path: path.into() };
    PrivateKeyDer::from_pem_slice(&pem).map_err(none)
}

impl ClientCertificates {
    /// Whoever shows no certificate may still come in by another way; one that is shown must be
    /// good, with the extended key usage of a client (RFC 5280, section 4.2.1.12).
    fn load(&self) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let roots = authorities(&self.authorities)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut builder = WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
            .allow_unauthenticated();
        if let Some(path) = &self.revoked {
            builder = builder.with_crls(revocations(path)?).enforce_revocation_expiration();
        }
        let path = self.revoked.as_ref().unwrap_or(&self.authorities);
        builder.build().map_err(|error| unusable("certificate authority", path, &error))
    }
}

/// The authorities that are trusted when we ask others: those in a file in PEM, or the system's, of
/// which there may be none.
///
/// # Errors
/// When there is none in the file, or one that cannot be used.
pub(crate) fn trusted(file: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let Some(path) = file else {
        let mut roots = RootCertStore::empty();
        // One of the system's that cannot be read is one that vouches for nobody.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    };
    authorities(path)
}

fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let what = "certificate authority";
    let mut roots = RootCertStore::empty();
    for authority in certificates(what, path)? {
        roots.add(authority).map_err(|error| unusable(what, path, &error))?;
    }
    Ok(roots)
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let (pem, _) = read(what, path)?;
    let found = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| unusable(what, path, &error))?;
    if found.is_empty() {
        return Err(TlsError::Empty { what, path: path.into() });
    }
    Ok(found)
}

fn revocations(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let what = "certificate revocation list";
    let (pem, _) = read(what, path)?;
    let found = CertificateRevocationListDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| unusable(what, path, &error))?;
    if found.is_empty() {
        return Err(TlsError::Empty { what, path: path.into() });
    }
    Ok(found)
}

/// The bytes of a file and its permission bits.
fn read(what: &'static str, path: &Path) -> Result<(Vec<u8>, u32), TlsError> {
    let read = || {
        let file = File::open(path)?;
        let mode = file.metadata()?.mode() & 0o7777;
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(io::Error::other(format!("it exceeds limit of {FILE_BYTES_MAX} bytes")));
        }
        Ok((bytes, mode))
    };
    read().map_err(|cause| TlsError::Unreadable { what, path: path.into(), cause })
}

fn unusable(what: &'static str, path: &Path, cause: &dyn std::fmt::Display) -> TlsError {
    TlsError::Unusable { what, path: path.into(), cause: cause.to_string() }
}
