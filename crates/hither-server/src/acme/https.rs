//! HTTPS to the authority.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http_body_util::Limited;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;

use super::AcmeError;

/// Time for one answer's head.
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);
/// Most bytes of an answer's body; a chain of certificates is the longest.
const BODY_BYTES_MAX: usize = 1 << 20;

type Body = BodyWrapper<hyper::body::Bytes>;

/// A client that trusts those who vouch for the directory, and speaks nothing but TLS.
pub(super) struct Https(Client<HttpsConnector<HttpConnector>, Body>);

impl Https {
    /// A client that trusts these authorities, or the system's.
    pub(super) fn new(authorities: Option<&Path>) -> Result<Self, AcmeError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| AcmeError::Authority(error.to_string()))?
            .with_root_certificates(roots(authorities)?)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(config);
        let connector = connector.https_only().enable_http1().build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }
}

impl HttpClient for Https {
    fn request(
        &self,
        request: Request<Body>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let answer = timeout(ANSWER_DEADLINE, self.0.request(request));
        Box::pin(async move {
            let answer = answer.await.map_err(|_| Error::Timeout(None))?;
            let answer = answer.map_err(|error| Error::Other(Box::new(error)))?;
            Ok(BytesResponse::from(answer.map(|body| Limited::new(body, BODY_BYTES_MAX))))
        })
    }
}

/// Certificates of the authorities that are trusted.
fn roots(file: Option<&Path>) -> Result<RootCertStore, AcmeError> {
    let certificates = match file {
        Some(path) => CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| unusable(path, &error))?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    match file {
        Some(path) if roots.is_empty() => Err(unusable(path, &"it holds no certificate")),
        None if roots.is_empty() => Err(AcmeError::Trust(
            "this system trusts no certificate authority; install ca-certificates, or name a file \
             with --acme-ca"
                .to_owned(),
        )),
        _ => Ok(roots),
    }
}

fn unusable(path: &Path, why: &dyn std::fmt::Display) -> AcmeError {
    let path = path.display();
    AcmeError::Trust(format!("--acme-ca {path} cannot be used: {why}; name a file in PEM"))
}
