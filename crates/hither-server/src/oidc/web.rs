//! Requests to the provider: over TLS, bounded in time and size, and led nowhere else.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::header::{HOST, USER_AGENT};
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::tls::{TlsError, authorities};

/// Time for one answer, from looking up the name to its last byte.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);
/// Most bytes of the body of an answer: keys and claims take a few thousand.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebError {
    /// The address is none that may be asked.
    #[error("address must be https, or http on this machine")]
    Address,
    /// It took too long.
    #[error("no answer within {} s", ANSWER_DEADLINE.as_secs())]
    Timeout,
    /// No connection, or a broken one.
    #[error("connection: {0}")]
    Io(#[from] std::io::Error),
    /// No HTTP.
    #[error("answer: {0}")]
    Http(#[from] hyper::Error),
    /// The body is too long, or broken.
    #[error("answer of at most {ANSWER_BYTES_MAX} bytes expected: {0}")]
    Body(String),
    /// Something else than 200; redirects are not followed.
    #[error("status {0} instead of 200")]
    Status(StatusCode),
}

/// Asks the provider.
#[derive(Clone)]
pub(super) struct Web {
    tls: TlsConnector,
}

impl Web {
    /// Trusts the authorities in a file, or those of the system.
    pub(super) fn open(file: Option<&Path>) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        match file {
            Some(path) => roots = authorities(path)?,
            None => {
                // One of the system's that cannot be read is one that vouches for nobody.
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has cipher suites for both versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)) })
    }

    /// The body of a good answer to a request whose target is a whole address.
    pub(super) async fn ask(&self, request: Request<Full<Bytes>>) -> Result<Bytes, WebError> {
        let asked = timeout(ANSWER_DEADLINE, self.exchange(request)).await;
        asked.map_err(|_| WebError::Timeout)?
    }

    async fn exchange(&self, mut request: Request<Full<Bytes>>) -> Result<Bytes, WebError> {
        let uri = request.uri().clone();
        if !is_trustworthy(&uri) {
            return Err(WebError::Address);
        }
        let authority = uri.authority().ok_or(WebError::Address)?;
        let host = authority.host().trim_matches(['[', ']']);
        let is_tls = uri.scheme_str() == Some("https");
        let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let socket = TcpStream::connect((host, port)).await?;
        let stream: Box<dyn Stream> = if is_tls {
            let name = ServerName::try_from(host.to_owned()).map_err(|_| WebError::Address)?;
            Box::new(self.tls.connect(name, socket).await?)
        } else {
            Box::new(socket)
        };
        let value = HeaderValue::from_str(authority.as_str()).map_err(|_| WebError::Address)?;
        request.headers_mut().insert(HOST, value);
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static("hither"));
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        *request.uri_mut() = target.parse().map_err(|_| WebError::Address)?;
        receive(stream, request).await
    }
}

async fn receive(
    stream: Box<dyn Stream>,
    request: Request<Full<Bytes>>,
) -> Result<Bytes, WebError> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // The set ends the connection's task when this function is left.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let answer = sender.send_request(request).await?;
    if answer.status() != StatusCode::OK {
        return Err(WebError::Status(answer.status()));
    }
    let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
    Ok(body.map_err(|error| WebError::Body(error.to_string()))?.to_bytes())
}

/// A connection, encrypted or on this machine.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Whether nobody on the way to this address can read or change what is said.
#[must_use]
pub fn is_trustworthy(address: &Uri) -> bool {
    let (Some(scheme), Some(authority)) = (address.scheme_str(), address.authority()) else {
        return false;
    };
    let host = authority.host().trim_matches(['[', ']']);
    let is_here =
        host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    !authority.as_str().contains('@') && (scheme == "https" || (scheme == "http" && is_here))
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Web")
    }
}

#[cfg(test)]
mod tests {
    use super::is_trustworthy;

    #[test]
    fn a20_only_what_nobody_can_read_along_is_asked() {
        for (address, good) in [
            ("https://id.example.org", true),
            ("https://id.example.org:8443/realms/a", true),
            ("http://localhost:8080", true),
            ("http://127.0.0.1:1", true),
            ("http://[::1]:1/", true),
            ("http://id.example.org", false),
            ("http://localhost.evil.test", false),
            ("http://10.0.0.1", false),
            ("https://user:secret@id.example.org", false),
            ("ftp://localhost", false),
            ("/path", false),
        ] {
            assert_eq!(is_trustworthy(&address.parse().unwrap()), good, "{address}");
        }
    }
}
