//! The driver over TLS: bytes that come in any portions, and servers that are not believed.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use hither_client::{
    Address, Attachment, Connection, Event, HandshakeError, Progress, Server, TlsError, Trust,
    TrustError,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::peer::{Peer, close, output, welcome};
use crate::{CLIENT, WISH, receive_all, session};

type Authority = CertifiedIssuer<'static, KeyPair>;
type Secure = StreamOwned<ServerConnection, TcpStream>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn certificate(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    CertificateParams::new(names).unwrap()
}

/// A server of one connection whose certificate the authority has signed.
fn serve<T: Send + 'static>(
    authority: &Authority,
    params: &CertificateParams,
    script: impl FnOnce(Secure) -> T + Send + 'static,
) -> (u16, JoinHandle<T>) {
    let key = KeyPair::generate().unwrap();
    let chain = vec![params.signed_by(&key, authority).unwrap().der().clone()];
    listen(chain, &key, script)
}

fn listen<T: Send + 'static>(
    chain: Vec<rustls::pki_types::CertificateDer<'static>>,
    key: &KeyPair,
    script: impl FnOnce(Secure) -> T + Send + 'static,
) -> (u16, JoinHandle<T>) {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config =
        ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let socket = listener.accept().unwrap().0;
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        script(StreamOwned::new(connection, socket))
    });
    (port, thread)
}

fn trust(folder: &Path, authority: &Authority) -> Trust {
    let file = folder.join("ca.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    Trust::of_file(&file).unwrap()
}

fn server(host: &str, port: u16, trust: &Trust) -> Server {
    Server::new(Address::Tcp(host.to_owned(), port)).over_tls(trust.clone()).below("/term")
}

fn connect(server: &Server) -> (Attachment, Result<Connection, HandshakeError>) {
    let mut attachment = Attachment::new(CLIENT, WISH);
    let connection = server.connect(session(), CLIENT, &mut attachment);
    (attachment, connection)
}

#[test]
fn a_session_below_a_base_path_is_reached_over_tls() {
    // More than a record, a read and a window of the kernel hold.
    const PIECE: usize = 60_000;
    let folder = tempfile::tempdir().unwrap();
    let authority = authority("ours");
    let long = vec![b'x'; 15 * PIECE];
    let sent = long.clone();
    let (port, script) = serve(&authority, &certificate(&["localhost"]), move |stream| {
        let (mut peer, request) = Peer::accept(stream, b"");
        assert!(request.starts_with("GET /term/ws?session=aaaaaaaaaaaaaaaa HTTP/1.1\r\n"));
        assert_eq!(peer.next().as_deref(), Some("hello None"));
        let offsets = (0..).step_by(PIECE);
        let frames = offsets.zip(sent.chunks(PIECE)).map(|(offset, piece)| output(offset, piece));
        peer.send(&[welcome(0, 0), frames.flatten().collect()].concat());
        let heard: Vec<_> = std::iter::from_fn(|| peer.next()).collect();
        heard
    });
    let server = server("localhost", port, &trust(folder.path(), &authority));
    let (mut attachment, connection) = connect(&server);
    let mut connection = connection.unwrap();
    connection.set_nonblocking(true).unwrap();
    connection.type_input(&mut attachment, b"early").unwrap();
    let mut shown = Vec::new();
    while shown.len() < long.len() {
        let progress = connection.receive(&mut attachment, |event| {
            if let Event::Output(bytes) = event {
                shown.extend_from_slice(bytes);
            }
        });
        // An event loop is told that the socket has nothing only when nothing waits in memory either.
        if progress.unwrap() == Progress::NothingThere {
            let readable = rustix::event::PollFlags::IN;
            rustix::event::poll(&mut [rustix::event::PollFd::new(&connection, readable)], None)
                .unwrap();
        }
    }
    assert_eq!(shown, long);
    assert!(!connection.wants_to_write());
    connection.detach().unwrap();
    let heard = script.join().unwrap();
    assert_eq!(heard.first().map(String::as_str), Some("input 1 early"), "{heard:?}");
}

#[test]
fn input_that_the_kernel_does_not_take_waits_and_is_whole() {
    const PIECES: usize = 60;
    let folder = tempfile::tempdir().unwrap();
    let authority = authority("ours");
    let (go, wait) = std::sync::mpsc::sync_channel::<()>(1);
    let (port, script) = serve(&authority, &certificate(&["localhost"]), move |stream| {
        let (mut peer, _) = Peer::accept(stream, b"");
        assert_eq!(peer.next().as_deref(), Some("hello None"));
        peer.send(&welcome(0, 0));
        wait.recv().unwrap();
        let bytes: usize = (0..PIECES).map(|_| peer.next().unwrap().matches('k').count()).sum();
        peer.send(&close());
        bytes
    });
    let (mut attachment, connection) =
        connect(&server("localhost", port, &trust(folder.path(), &authority)));
    let mut connection = connection.unwrap();
    while connection.receive(&mut attachment, |_| {}).unwrap() != Progress::Read {}
    connection.set_nonblocking(true).unwrap();
    // Nobody reads: what the kernel has no room for is kept. Then it is read, and goes out.
    for _ in 0..PIECES {
        connection.type_input(&mut attachment, &[b'k'; 16_000]).unwrap();
    }
    go.send(()).unwrap();
    while connection.wants_to_write() {
        let writable = rustix::event::PollFlags::OUT;
        rustix::event::poll(&mut [rustix::event::PollFd::new(&connection, writable)], None)
            .unwrap();
        connection.flush().unwrap();
    }
    connection.set_nonblocking(false).unwrap();
    receive_all(&mut connection, &mut attachment);
    assert_eq!(script.join().unwrap(), PIECES * 16_000);
}

/// Asks a server with this certificate, by this name.
fn refused(host: &str, params: &CertificateParams, stranger: Option<&str>) -> TlsError {
    let folder = tempfile::tempdir().unwrap();
    let own = authority("ours");
    let other = stranger.map(authority);
    let (port, script) = serve(other.as_ref().unwrap_or(&own), params, |mut stream| {
        let mut request = Vec::new();
        // The client gives up within the handshake, and has told nobody what it wants.
        stream.read_to_end(&mut request).ok();
        request
    });
    let (_, connection) = connect(&server(host, port, &trust(folder.path(), &own)));
    assert_eq!(script.join().unwrap(), b"", "nothing is said to a server that is not believed");
    let error = connection.unwrap_err();
    let HandshakeError::Tls(error) = error else { panic!("{error}") };
    error
}

#[test]
fn a_server_that_is_not_the_one_is_told_nothing() {
    let local = certificate(&["localhost"]);
    for stranger in ["another", "ours"] {
        let error = refused("localhost", &local, Some(stranger));
        assert!(matches!(error, TlsError::UnknownAuthority), "{error}");
    }
    let name = refused("127.0.0.1", &local, None).to_string();
    assert_eq!(
        name,
        "the server's certificate is not for 127.0.0.1 but for DnsName(\"localhost\")"
    );
    let mut old = local.clone();
    (old.not_before, old.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    assert!(matches!(refused("localhost", &old, None), TlsError::Expired));
    let mut early = local.clone();
    (early.not_before, early.not_after) = (date_time_ymd(2999, 1, 1), date_time_ymd(3000, 1, 1));
    assert!(matches!(refused("localhost", &early, None), TlsError::NotYetValid));
    let mut signer = local;
    signer.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    assert!(matches!(refused("localhost", &signer, None), TlsError::IsAuthority));
}

#[test]
fn a_certificate_that_signs_itself_is_trusted_when_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = certificate(&["localhost"]);
    params.is_ca = IsCa::ExplicitNoCa;
    let own = params.self_signed(&key).unwrap();
    let file = folder.path().join("cert.pem");
    std::fs::write(&file, own.pem()).unwrap();
    let (port, script) = listen(vec![own.der().clone()], &key, |stream| {
        let (mut peer, _) = Peer::accept(stream, b"");
        peer.next()
    });
    let (_, connection) = connect(&server("localhost", port, &Trust::of_file(&file).unwrap()));
    connection.unwrap();
    assert_eq!(script.join().unwrap().as_deref(), Some("hello None"));
}

#[test]
fn what_is_no_tls_is_called_so() {
    let folder = tempfile::tempdir().unwrap();
    let trust = trust(folder.path(), &authority("ours"));
    for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b""] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut hello = [0; 4096];
            assert!(socket.read(&mut hello).unwrap() > 0);
            socket.write_all(answer).unwrap();
        });
        let (_, connection) = connect(&server("localhost", port, &trust));
        let error = connection.unwrap_err();
        assert!(matches!(error, HandshakeError::Tls(TlsError::NotTls)), "{error}");
        script.join().unwrap();
    }
}

#[test]
fn files_of_authorities_are_certificates_of_a_bounded_size() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    assert!(matches!(Trust::of_file(&file), Err(TrustError::Unreadable { .. })));
    let cut = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for text in ["", "no certificate", cut, "-----BEGIN CERTIFICATE-----\n"] {
        std::fs::write(&file, text).unwrap();
        assert!(matches!(Trust::of_file(&file), Err(TrustError::NotPem(_))), "{text:?}");
    }
    std::fs::write(&file, vec![b'\n'; (4 << 20) + 1]).unwrap();
    let error = Trust::of_file(&file).unwrap_err().to_string();
    assert!(error.contains("exceeds limit of 4194304"), "{error}");
}
