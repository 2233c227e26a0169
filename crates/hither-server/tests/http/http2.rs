//! HTTP/2 over TLS has the same limits; what only real floods show is tested with the real gateway.

use std::sync::Arc;

use hither_auth::Mode;
use hither_server::http::Listener;
use hither_server::tls::{Acceptor, OwnCertificate, TlsSettings};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Duration, pause, sleep};
use tokio_rustls::TlsConnector;

use crate::harness::Harness;

/// A listener with TLS of a server, and the authority that vouches for it.
struct Secure {
    port: u16,
    roots: RootCertStore,
    serving: JoinHandle<std::io::Result<()>>,
}

/// A client's end of a connection.
struct Client {
    requests: SendRequest<Empty<Bytes>>,
    driving: JoinHandle<hyper::Result<()>>,
}

impl Secure {
    async fn listen(harness: &Harness) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&key, private).unwrap();
        let own = OwnCertificate::Files { certificate, key };
        let acceptor = Arc::new(Acceptor::open(TlsSettings { own, clients: None }).unwrap());
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Arc::clone(&harness.server);
        let serving =
            tokio::spawn(async move { server.serve(Listener::Tls(listener, acceptor)).await });
        Self { port, roots, serving }
    }

    async fn connect(&self) -> Client {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let tcp = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let tls = TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
        assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (requests, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(tls)).await.unwrap();
        Client { requests, driving: tokio::spawn(connection) }
    }
}

impl Client {
    /// The status of the answer to a request for the list.
    async fn ask(&mut self, port: u16, authorization: &str) -> u16 {
        let mut request = http::Request::get(format!("https://localhost:{port}/api/sessions"));
        if !authorization.is_empty() {
            request = request.header("authorization", authorization);
        }
        let request = request.body(Empty::new()).unwrap();
        self.requests.send_request(request).await.unwrap().status().as_u16()
    }
}

/// Row H06 of the security catalogue over HTTP/2. Time is virtual once paused.
#[tokio::test]
async fn h06_without_a_credential_a_connection_of_http2_ends() {
    let harness = Harness::start(Mode::Required).await;
    let secure = Secure::listen(&harness).await;
    let (mut stranger, mut owner) = (secure.connect().await, secure.connect().await);
    assert_eq!(stranger.ask(secure.port, "").await, 401);
    assert_eq!(owner.ask(secure.port, &harness.bearer()).await, 200);
    pause();
    // More often than an idle connection is let go.
    for _ in 0..4 {
        sleep(Duration::from_secs(2)).await;
        assert_eq!(stranger.ask(secure.port, "").await, 401);
        assert_eq!(owner.ask(secure.port, "").await, 401);
    }
    assert!(!stranger.driving.is_finished());
    stranger.driving.await.unwrap().unwrap();
    assert_eq!(harness.app.refusals("authentication_time"), 1);
    assert_eq!(owner.ask(secure.port, &harness.bearer()).await, 200);
    secure.serving.abort();
}
