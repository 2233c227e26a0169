//! The certificate of a gateway that is measured with TLS.

use std::io;
use std::sync::Arc;

use hither_client::Trust;
use rcgen::{CertificateParams, IsCa, KeyPair};
use rustls::ClientConfig;

/// A certificate of this machine's own address that vouches for itself, and its key.
pub(super) struct Certificate {
    certificate: String,
    key: String,
}

impl Certificate {
    /// The options of a gateway that finds the files where it starts.
    pub(super) const OPTIONS: [&str; 2] = ["--tls-cert=cert.pem", "--tls-key=key.pem"];

    pub(super) fn new() -> io::Result<Self> {
        let make = || {
            let key = KeyPair::generate()?;
            let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()])?;
            params.is_ca = IsCa::ExplicitNoCa;
            let certificate = params.self_signed(&key)?.pem();
            Ok::<_, rcgen::Error>(Self { certificate, key: key.serialize_pem() })
        };
        make().map_err(io::Error::other)
    }

    /// Name and text of each.
    pub(super) fn files(&self) -> [(&str, &str); 2] {
        [("cert.pem", &self.certificate), ("key.pem", &self.key)]
    }

    /// A client that believes it and nobody else.
    pub(super) fn trust(&self) -> io::Result<Arc<ClientConfig>> {
        let trust = Trust::of_pem(self.certificate.as_bytes());
        trust.map(|trust| trust.config()).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}
