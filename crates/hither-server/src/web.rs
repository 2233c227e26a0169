//! Requests to others: over TLS, bounded in time and size, and led nowhere else.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{HOST, USER_AGENT};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Bytes};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Most bytes of the body of an answer: keys, claims and certificates take a few thousand.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WebError {
    /// The address is none that may be asked.
    #[error("address must be https, or http on this machine")]
    Address,
    /// It took too long.
    #[error("no answer within {} s", .0.as_secs())]
    Timeout(Duration),
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

/// Asks others.
#[derive(Clone)]
pub(crate) struct Web {
    tls: TlsConnector,
    deadline: Duration,
}

impl Web {
    /// Trusts these authorities, and waits so long for one answer: from looking up the name to the
    /// last byte.
    pub(crate) fn new(roots: RootCertStore, deadline: Duration) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has cipher suites for both versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { tls: TlsConnector::from(Arc::new(config)), deadline }
    }

    /// The body of an answer that must be 200, to a request whose target is a whole address.
    pub(crate) async fn ask<B: Question>(&self, request: Request<B>) -> Result<Bytes, WebError> {
        let answer = self.send(request).await?;
        match answer.status() {
            StatusCode::OK => Ok(answer.into_body()),
            other => Err(WebError::Status(other)),
        }
    }

    /// Any answer to a request whose target is a whole address.
    pub(crate) async fn send<B: Question>(
        &self,
        request: Request<B>,
    ) -> Result<Response<Bytes>, WebError> {
        let answer = timeout(self.deadline, self.exchange(request)).await;
        answer.map_err(|_| WebError::Timeout(self.deadline))?
    }

    async fn exchange<B: Question>(
        &self,
        mut request: Request<B>,
    ) -> Result<Response<Bytes>, WebError> {
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
        let agent = request.headers_mut().entry(USER_AGENT);
        agent.or_insert(HeaderValue::from_static("hither"));
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        *request.uri_mut() = target.parse().map_err(|_| WebError::Address)?;
        receive(stream, request).await
    }
}

async fn receive<B: Question>(
    stream: Box<dyn Stream>,
    request: Request<B>,
) -> Result<Response<Bytes>, WebError> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // The set ends the connection's task when this function is left.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| WebError::Body(error.to_string()))?.to_bytes();
    Ok(Response::from_parts(head, body))
}

/// The body of a request.
pub(crate) trait Question:
    Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static
{
}

impl<B> Question for B where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static
{
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
