//! `/ws`: the handshake and the handover.

use hither_auth::Mode;
use hither_core::WindowSize;
use hither_protocol::websocket::{Opcode, append_frame};
use hither_server::sessions::{
    Connection, CreateError, Life, SessionError, Socket, ViewerProtocol,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, Instant, pause, resume};

use crate::client::{Request, Response, read_response, read_to_end};
use crate::harness::Harness;
use crate::matrix::check_headers;

const MASK: Option<[u8; 4]> = Some([1, 2, 3, 4]);

/// Sends a handshake with something behind it.
async fn open(harness: &Harness, request: Request, behind: &[u8]) -> (TcpStream, Response) {
    let mut stream = TcpStream::connect(harness.address).await.unwrap();
    stream.write_all(&[&request.to_bytes()[..], behind].concat()).await.unwrap();
    let response = read_response(&mut stream, false).await;
    (stream, response)
}

fn ws(harness: &Harness, query: &str, protocol: Option<&str>) -> Request {
    let request = harness.trusted("GET", &format!("/ws{query}")).websocket();
    match protocol {
        Some(protocol) => request.header("sec-websocket-protocol", protocol),
        None => request,
    }
}

fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    append_frame(&mut frame, opcode, &[payload], MASK);
    frame
}

fn tcp(connection: Connection) -> TcpStream {
    let Socket::Tcp(socket) = connection.socket else { panic!() };
    TcpStream::from_std(socket).unwrap()
}

#[tokio::test]
async fn the_protocol_is_chosen_by_subprotocol_and_query() {
    let mut harness = Harness::start(Mode::Required).await;
    let id = harness.id;
    let [session, session_id] = ["session", "sessionId"].map(|name| format!("?{name}={id}"));
    for (query, offered, protocol, answered) in [
        (&session, Some("hither.v1"), ViewerProtocol::Hither, Some("hither.v1")),
        (&session, Some("x, hither.v1 ,tty"), ViewerProtocol::Hither, Some("hither.v1")),
        (&session_id, None, ViewerProtocol::Plan, None),
        (&format!("?x=1&sessionId={id}&y"), None, ViewerProtocol::Plan, None),
    ] {
        let (_client, response) = open(&harness, ws(&harness, query, offered), b"").await;
        assert_eq!(response.status, 101, "{query} {offered:?}");
        assert_eq!(response.header("sec-websocket-protocol"), answered);
        assert_eq!(response.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(response.header("sec-websocket-extensions"), None);
        check_headers(&response, query);
        let connection = harness.attached.recv().await.unwrap();
        assert_eq!((connection.session, connection.protocol), (id, protocol));
        assert!(connection.role.may_type());
    }
}

#[tokio::test]
async fn the_socket_comes_out_whole_with_what_was_read_ahead() {
    let mut harness = Harness::start(Mode::Required).await;
    let query = format!("?session={}", harness.id);
    let hello = frame(Opcode::Binary, b"\x01{}");
    let request = ws(&harness, &query, Some("hither.v1"));
    let (mut client, _) = open(&harness, request, &hello).await;
    let connection = harness.attached.recv().await.unwrap();
    assert_eq!(connection.read_ahead, hello);
    let mut worker = tcp(connection);
    assert!(worker.nodelay().unwrap());
    worker.write_all(b"pong").await.unwrap();
    client.write_all(b"ping").await.unwrap();
    let mut bytes = [0; 4];
    client.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"pong");
    worker.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"ping");
    drop(worker);
    assert_eq!(read_to_end(&mut client).await, b"");
}

#[tokio::test]
async fn a_flawed_handshake_creates_nothing() {
    let harness = Harness::start(Mode::Required).await;
    let base = |target: &str| harness.trusted("GET", target);
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    let lines = |request: Request, lines: &[(&str, &str)]| {
        lines.iter().fold(request, |request, (name, value)| request.header(name, *value))
    };
    let full = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", key),
        ("sec-websocket-protocol", "tty"),
    ];
    let without = |name: &str| full.into_iter().filter(|l| l.0 != name).collect::<Vec<_>>();
    let with =
        |name: &'static str, value: &'static str| [without(name), vec![(name, value)]].concat();
    for (headers, status, code) in [
        (without("connection"), 426, "upgrade_required"),
        (without("upgrade"), 426, "upgrade_required"),
        (with("upgrade", "h2c"), 426, "upgrade_required"),
        (without("sec-websocket-version"), 426, "upgrade_required"),
        (with("sec-websocket-version", "8"), 426, "upgrade_required"),
        (with("sec-websocket-version", "13, 8"), 426, "upgrade_required"),
        (without("sec-websocket-key"), 400, "invalid_key"),
        (with("sec-websocket-key", "short"), 400, "invalid_key"),
        (with("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAAA="), 400, "invalid_key"),
        ([&full[..], &[("sec-websocket-key", key)]].concat(), 400, "invalid_key"),
        ([&full[..], &[("content-length", "5")]].concat(), 400, "unexpected_body"),
        (with("sec-websocket-protocol", "webtty"), 400, "unknown_subprotocol"),
        (with("sec-websocket-protocol", "TTY"), 400, "unknown_subprotocol"),
        (with("sec-websocket-protocol", "hither.v1"), 400, "session_required"),
        (without("sec-websocket-protocol"), 400, "session_required"),
    ] {
        let (_client, response) = open(&harness, lines(base("/ws"), &headers), b"").await;
        assert_eq!((response.status, &*response.code()), (status, code), "{headers:?}");
        let version = (status == 426).then_some("13");
        assert_eq!(response.header("sec-websocket-version"), version, "{headers:?}");
    }
    let http_1_0 = String::from_utf8(lines(base("/ws"), &full).to_bytes()).unwrap();
    let http_1_0 = http_1_0.replace("HTTP/1.1", "HTTP/1.0");
    let response = crate::client::exchange(harness.address, http_1_0.as_bytes()).await;
    assert_eq!(response.status, 426);
    assert!(harness.done().is_empty());
}

#[tokio::test]
async fn no_extension_is_accepted() {
    let mut harness = Harness::start(Mode::Required).await;
    let query = format!("?sessionId={}", harness.id);
    let offer = "permessage-deflate; client_max_window_bits";
    let request = ws(&harness, &query, None).header("sec-websocket-extensions", offer);
    let (_client, response) = open(&harness, request, b"").await;
    assert_eq!((response.status, response.header("sec-websocket-extensions")), (101, None));
    harness.attached.recv().await.unwrap();
}

#[tokio::test]
async fn an_unknown_session_closes_with_4404() {
    let harness = Harness::start(Mode::Required).await;
    let error = br#"{"code":"session_not_found","message":"session not found"}"#;
    for (query, protocol, has_error) in [
        ("?session=aaaaaaaaaaaaaaaa", Some("hither.v1"), true),
        ("?session=../../etc", Some("hither.v1"), true),
        ("?sessionId=aaaaaaaaaaaaaaaa", None, false),
        ("?session=aaaaaaaaaaaaaaaa", Some("tty"), false),
    ] {
        let (mut client, response) = open(&harness, ws(&harness, query, protocol), b"").await;
        assert_eq!(response.status, 101, "{query}");
        let mut expect = Vec::new();
        if has_error {
            append_frame(&mut expect, Opcode::Binary, &[b"\x8b", error], None);
        }
        let close = [&4404_u16.to_be_bytes()[..], b"session not found"].concat();
        append_frame(&mut expect, Opcode::Close, &[&close], None);
        assert_eq!(read_to_end(&mut client).await, expect, "{query}");
    }
    assert!(harness.done().is_empty());
}

#[tokio::test]
async fn ttyd_gets_a_session_of_its_own() {
    let mut harness = Harness::start(Mode::Required).await;
    let init = frame(Opcode::Text, br#"{"AuthToken":"","columns":132,"rows":50}"#);
    let typed = frame(Opcode::Binary, b"0ls\r");
    let behind = [&init[..], &typed[..3]].concat();
    let (_client, response) = open(&harness, ws(&harness, "", Some("tty")), &behind).await;
    assert_eq!(response.header("sec-websocket-protocol"), Some("tty"));
    let connection = harness.attached.recv().await.unwrap();
    assert_eq!(connection.protocol, ViewerProtocol::Ttyd);
    assert_eq!(connection.read_ahead, &typed[..3]);
    assert_ne!(connection.session, harness.id);
    let created = harness.double.state().created[0].clone();
    assert_eq!(created.life, Life::WithViewer);
    assert_eq!(created.size, Some(WindowSize::new(132, 50).unwrap()));
}

#[tokio::test]
async fn ttyd_may_come_in_pieces() {
    let mut harness = Harness::start(Mode::Required).await;
    let init = [
        frame(Opcode::Ping, b"are you there"),
        frame(Opcode::Binary, br#"{"AuthToken":"x","columns":9999,"rows":9999}"#),
    ]
    .concat();
    let (mut client, _) = open(&harness, ws(&harness, "", Some("tty")), b"").await;
    for byte in init {
        client.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    let connection = harness.attached.recv().await.unwrap();
    assert_eq!(connection.read_ahead, b"");
    assert_eq!(harness.double.state().created[0].size, Some(WindowSize::clamped(1000, 500)));
    drop(connection);
    let mut pong = Vec::new();
    append_frame(&mut pong, Opcode::Pong, &[b"are you there"], None);
    assert_eq!(read_to_end(&mut client).await, pong);
}

#[tokio::test]
async fn ttyd_attaches_to_a_lasting_session_by_name() {
    let mut harness = Harness::start(Mode::Required).await;
    let init = frame(Opcode::Binary, br#"{"columns":100,"rows":30}"#);
    let query = format!("?session={}", harness.id);
    let (_client, _) = open(&harness, ws(&harness, &query, Some("tty")), &init).await;
    let connection = harness.attached.recv().await.unwrap();
    assert_eq!(connection.session, harness.id);
    assert_eq!(harness.done(), ["resize 100x30", "attach Ttyd"]);
}

#[tokio::test]
async fn ttyd_without_a_proper_first_message_gets_nothing() {
    let harness = Harness::start(Mode::Required).await;
    let long = vec![b' '; 5000];
    for (bytes, close) in [
        (frame(Opcode::Binary, b"0ls\r"), 1008),
        (frame(Opcode::Binary, b"{"), 1008),
        (frame(Opcode::Binary, b""), 1008),
        (frame(Opcode::Binary, &long), 1009),
        (frame(Opcode::Text, b"{\xff}"), 1007),
        (b"\x82\x02{}".to_vec(), 1002),
        (b"\xc2\x80\0\0\0\0".to_vec(), 1002),
        (frame(Opcode::Pong, b"").repeat(3000), 1008),
    ] {
        let (mut client, _) = open(&harness, ws(&harness, "", Some("tty")), &bytes).await;
        let answer = read_to_end(&mut client).await;
        assert_eq!(answer[0], 0x88, "{close}: {answer:?}");
        assert_eq!(answer[2..4], u16::to_be_bytes(close), "{close}: {answer:?}");
    }
    let (mut client, _) =
        open(&harness, ws(&harness, "", Some("tty")), &frame(Opcode::Close, b"")).await;
    assert_eq!(read_to_end(&mut client).await, b"");
    assert!(harness.done().is_empty());
}

#[tokio::test]
async fn ttyd_has_ten_seconds_to_speak() {
    let harness = Harness::start(Mode::Required).await;
    let (mut client, _) = open(&harness, ws(&harness, "", Some("tty")), b"").await;
    pause();
    let before = Instant::now();
    let answer = read_to_end(&mut client).await;
    assert_eq!(answer[2..4], 4408_u16.to_be_bytes(), "{answer:?}");
    assert!(before.elapsed() < Duration::from_secs(11), "{:?}", before.elapsed());
    resume();
    assert!(harness.done().is_empty());
}

#[tokio::test]
async fn ttyd_is_told_when_no_session_can_be_created() {
    let harness = Harness::start(Mode::Required).await;
    harness.double.state().refuse = Some(CreateError::HostUnavailable);
    let init = frame(Opcode::Binary, b"{}");
    let (mut client, _) = open(&harness, ws(&harness, "", Some("tty")), &init).await;
    let answer = read_to_end(&mut client).await;
    assert_eq!(answer[2..4], 1011_u16.to_be_bytes());
    assert_eq!(&answer[4..], b"the PTY host is not available");
}

#[tokio::test]
async fn a_session_that_nobody_can_attach_to_is_closed_again() {
    let harness = Harness::start(Mode::Required).await;
    harness.double.state().refuse_attach = Some(SessionError::Stopping);
    let init = frame(Opcode::Binary, b"{}");
    let (mut client, _) = open(&harness, ws(&harness, "", Some("tty")), &init).await;
    assert_eq!(read_to_end(&mut client).await, b"");
    let state = harness.double.state();
    assert_eq!(state.sessions.len(), 1, "only the one of the harness");
    assert_eq!(state.done.last().unwrap(), "close");
}
