//! Certificates that an authority has issued, as handshakes find them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// The protocol of an authority that proves a domain: it wants to see one certificate and says
/// nothing (RFC 8737, section 4).
pub(super) const PROOF_ALPN: &[u8] = b"acme-tls/1";

/// A certificate with its chain and its key, which belong together.
#[derive(Debug)]
pub(crate) struct Bundle(Arc<CertifiedKey>);

impl Bundle {
    /// Reads the certificate, those between it and its root, and its key from PEM.
    pub(crate) fn parse(pem: &[u8]) -> Result<Self, String> {
        let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|error| error.to_string())?;
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|error| error.to_string())?;
        if chain.is_empty() {
            return Err("expected a certificate".to_owned());
        }
        let provider = rustls::crypto::ring::default_provider();
        let pair = CertifiedKey::from_der(chain, key, &provider);
        Ok(Self(Arc::new(pair.map_err(|error| error.to_string())?)))
    }

    /// The certificate itself.
    pub(crate) fn end_entity(&self) -> &CertificateDer<'static> {
        &self.0.cert[0]
    }
}

/// What was issued, and what proves domains to the authority.
#[derive(Debug, Default)]
pub struct Issued(Mutex<Certificates>);

#[derive(Debug, Default)]
struct Certificates {
    served: Option<Arc<CertifiedKey>>,
    proofs: HashMap<String, Arc<CertifiedKey>>,
}

impl Issued {
    /// Handshakes see this one from now on.
    pub(crate) fn serve(&self, bundle: Bundle) {
        self.locked().served = Some(bundle.0);
    }

    /// An authority that asks for the proof of `domain` sees this certificate.
    pub(crate) fn put_up_proof(
        &self,
        domain: &str,
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), String> {
        // Not as a bundle: its extension is one that no client but the authority understands.
        let provider = rustls::crypto::ring::default_provider();
        let key = provider.key_provider.load_private_key(key).map_err(|error| error.to_string())?;
        let proof = Arc::new(CertifiedKey::new(vec![certificate], key));
        self.locked().proofs.insert(domain.to_owned(), proof);
        Ok(())
    }

    /// Nothing is to be proven any more.
    pub(crate) fn take_down_proofs(&self) {
        self.locked().proofs.clear();
    }

    fn locked(&self) -> MutexGuard<'_, Certificates> {
        // Nothing under the lock is ever half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Issued {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let certificates = self.locked();
        let proves = hello
            .alpn()
            .is_some_and(|mut names| names.next() == Some(PROOF_ALPN) && names.next().is_none());
        if proves {
            return certificates.proofs.get(hello.server_name()?).cloned();
        }
        certificates.served.clone()
    }
}
