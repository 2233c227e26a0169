//! The driver against a server that says what it is told to, over both kinds of sockets.
#![allow(clippy::unwrap_used, reason = "a test's helpers are tests")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::thread::JoinHandle;

use hither_client::{
    Address, Attachment, Connection, Event, HandshakeError, Progress, Server, Wish,
};
use hither_core::{ClientId, InputNumber, Offset, Role, SessionId, ViewerId, WindowSize};
use hither_protocol::hither::{ClientFrame, Features, ServerFrame, SessionState, Welcome};
use hither_protocol::websocket::{
    CloseCode, Decoder, Limits, Opcode, Side, Step, accept_key, append_frame, encode_close,
};

const CLIENT: ClientId = ClientId(0x1234_5678_9abc_def0);
const WISH: Wish =
    Wish { role: Role::Operator, features: Features::none(), size: None, from: None };

fn session() -> SessionId {
    "aaaaaaaaaaaaaaaa".parse().unwrap()
}

/// The server's side of one connection.
struct Peer<S> {
    socket: S,
    received: Vec<u8>,
    decoder: Decoder,
}

impl<S: Read + Write> Peer<S> {
    /// Answers the request; what follows the head goes out in the same write.
    fn accept(mut socket: S, behind: &[u8]) -> (Self, String) {
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") {
            socket.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        let request = String::from_utf8(request).unwrap();
        let key =
            request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let mut answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: hither.v1\r\n\r\n",
            accept_key(key)
        )
        .into_bytes();
        answer.extend_from_slice(behind);
        socket.write_all(&answer).unwrap();
        let limits = Limits { message_max: 1 << 20, fragments_max: 64 };
        (
            Self { socket, received: Vec::new(), decoder: Decoder::new(Side::Server, limits) },
            request,
        )
    }

    /// The client's next frame, or `None` when it says goodbye.
    fn next(&mut self) -> Option<String> {
        loop {
            match self.decoder.next(&mut self.received).unwrap() {
                Step::Message { payload, consumed, .. } => {
                    let text = match ClientFrame::decode(payload).unwrap() {
                        ClientFrame::Hello(hello) => {
                            format!("hello {:?}", hello.resume.map(|o| o.0))
                        }
                        ClientFrame::Input { number, bytes } => {
                            format!("input {} {}", number.0, String::from_utf8_lossy(bytes))
                        }
                        rare @ (ClientFrame::Resize(_)
                        | ClientFrame::Ack(_)
                        | ClientFrame::Ping(_)
                        | ClientFrame::Unknown(_)) => format!("{rare:?}"),
                    };
                    self.received.drain(..consumed);
                    return Some(text);
                }
                Step::Need(_) => {
                    let mut chunk = [0; 4096];
                    let len = self.socket.read(&mut chunk).unwrap();
                    assert!(len > 0, "the client is gone");
                    self.received.extend_from_slice(&chunk[..len]);
                }
                Step::Control { .. } => return None,
                Step::Progress { .. } => panic!("clients send no fragments"),
            }
        }
    }

    fn send(&mut self, frames: &[u8]) {
        self.socket.write_all(frames).unwrap();
    }
}

fn frame(frame: &ServerFrame<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    frame.encode(&mut body);
    let mut message = Vec::new();
    append_frame(&mut message, Opcode::Binary, &[&body], None);
    message
}

fn welcome(offset: u64, accepted: u64) -> Vec<u8> {
    frame(&ServerFrame::Welcome(Welcome {
        session: session(),
        viewer: ViewerId(1),
        resumed: true,
        offset: Offset(offset),
        accepted: InputNumber(accepted),
        size: WindowSize::DEFAULT,
        owner: ViewerId(1),
        role: Role::Operator,
        features: Features::none(),
        title: String::new(),
        state: SessionState::Running,
    }))
}

fn output(offset: u64, bytes: &[u8]) -> Vec<u8> {
    frame(&ServerFrame::Output { offset: Offset(offset), bytes })
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
    let server = Server { address, authorization: Some("Bearer secret".to_owned()) };
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
        let mut close = Vec::new();
        let body = encode_close(CloseCode::NORMAL, "");
        append_frame(&mut close, Opcode::Close, &[body.as_bytes()], None);
        peer.send(&close);
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
    let server = Server { address: Address::Unix(dir.clone()), authorization: None };
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
