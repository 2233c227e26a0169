//! The driver against a server that says what it is told to, over all kinds of sockets.
#![allow(clippy::unwrap_used, reason = "a test's helpers are tests")]

mod framing;
mod peer;
mod tls;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::thread::JoinHandle;

use hither_client::{
    Address, Attachment, Connection, Event, Features, HandshakeError, Progress, Server, Wish,
};
use hither_core::{ClientId, Role, SessionId};
use hither_protocol::websocket::CloseCode;

use peer::{Peer, close, output, welcome};

const CLIENT: ClientId = ClientId(0x1234_5678_9abc_def0);
const WISH: Wish =
    Wish { role: Role::Operator, features: Features::none(), size: None, from: None };

fn session() -> SessionId {
    "aaaaaaaaaaaaaaaa".parse().unwrap()
}

/// Receives until the server closes; gives the output and the code.
fn receive_all(
    connection: &mut Connection,
    attachment: &mut Attachment,
) -> (Vec<u8>, Option<CloseCode>) {
    let mut shown = Vec::new();
    loop {
        let progress = connection.receive(attachment, |event| {
            if let Event::Output(bytes) = event {
                shown.extend_from_slice(bytes);
            }
        });
        if let Progress::Closed(code) = progress.unwrap() {
            return (shown, code);
        }
    }
}

/// A server that plays `script` once for each connection of a TCP listener.
fn play<T: Send + 'static>(
    script: impl FnOnce(TcpListener) -> T + Send + 'static,
) -> (Server, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Address::Tcp("127.0.0.1".to_owned(), listener.local_addr().unwrap().port());
    let server = Server::new(address).authorized("Bearer secret");
    (server, std::thread::spawn(move || script(listener)))
}

#[test]
fn types_is_cut_off_resumes_and_loses_nothing() {
    let (server, script) = play(|listener| {
        let mut heard = Vec::new();
        let (mut peer, request) = Peer::accept(listener.accept().unwrap().0, b"");
        assert!(request.contains("GET /ws?session=aaaaaaaaaaaaaaaa HTTP/1.1\r\n"));
        assert!(request.contains("Authorization: Bearer secret\r\n"));
        heard.extend(peer.next());
        peer.send(&[welcome(0, 0), output(0, b"one ")].concat());
        heard.extend(peer.next());
        drop(peer);
        let (mut peer, _) = Peer::accept(listener.accept().unwrap().0, b"");
        heard.extend(peer.next());
        peer.send(&[welcome(4, 0), output(4, b"two")].concat());
        heard.extend(peer.next());
        peer.send(&close());
        heard
    });
    let mut attachment = Attachment::new(CLIENT, WISH);
    let mut connection = server.connect(session(), CLIENT, &mut attachment).unwrap();
    let mut shown = Vec::new();
    while shown.is_empty() {
        let show = |event: Event<'_>| {
            if let Event::Output(bytes) = event {
                shown.extend_from_slice(bytes);
            }
        };
        connection.receive(&mut attachment, show).unwrap();
    }
    connection.type_input(&mut attachment, b"key").unwrap();
    // The server is gone without a word.
    while connection.receive(&mut attachment, |_| {}).is_ok() {}
    let mut connection = server.connect(session(), CLIENT, &mut attachment).unwrap();
    let (rest, code) = receive_all(&mut connection, &mut attachment);
    assert_eq!([shown, rest].concat(), b"one two");
    assert_eq!(code, Some(CloseCode::NORMAL));
    let heard = script.join().unwrap();
    assert_eq!(heard, ["hello None", "input 1 key", "hello Some(4)", "input 1 key"]);
}

#[test]
fn what_comes_with_the_answer_is_not_lost_and_detaching_says_goodbye() {
    let dir = std::env::temp_dir().join(format!("hither-client-{}", std::process::id()));
    let listener = UnixListener::bind(&dir).unwrap();
    let script = std::thread::spawn(move || {
        let behind = [welcome(0, 0), output(0, b"early")].concat();
        let (mut peer, _) = Peer::accept(listener.accept().unwrap().0, &behind);
        assert_eq!(peer.next().as_deref(), Some("hello None"));
        assert_eq!(peer.next(), None);
    });
    let server = Server::new(Address::Unix(dir.clone()));
    let mut attachment = Attachment::new(CLIENT, WISH);
    let mut connection = server.connect(session(), CLIENT, &mut attachment).unwrap();
    connection.set_nonblocking(true).unwrap();
    let mut shown = Vec::new();
    let show = |event: Event<'_>| {
        if let Event::Output(bytes) = event {
            shown.extend_from_slice(bytes);
        }
    };
    assert_eq!(connection.receive(&mut attachment, show).unwrap(), Progress::Read);
    assert_eq!(shown, b"early");
    let progress = connection.receive(&mut attachment, |_| {}).unwrap();
    assert_eq!(progress, Progress::NothingThere, "an event loop is not held up");
    connection.detach().unwrap();
    script.join().unwrap();
    std::fs::remove_file(dir).unwrap();
}

#[test]
fn a_refusal_names_its_status() {
    let (server, script) = play(|listener| {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        assert!(socket.read(&mut request).unwrap() > 0);
        socket.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    let mut attachment = Attachment::new(CLIENT, WISH);
    let refused = server.connect(session(), CLIENT, &mut attachment).unwrap_err();
    assert!(matches!(refused, HandshakeError::Status(401)), "{refused}");
    assert!(!format!("{server:?}").contains("secret"));
    script.join().unwrap();
}
