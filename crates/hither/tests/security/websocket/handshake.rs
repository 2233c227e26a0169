//! Rows W12 and W13: heads without measure, and requests hidden behind a handshake.

use std::io::{Read as _, Write as _};

use crate::gateway::{Gateway, status};
use crate::websocket::peer::{Event, FIN, PING, Peer, frame, handshake};

#[test]
fn w12_heads_are_refused_before_they_grow() {
    let gateway = Gateway::start();
    let before = (gateway.cpu_ticks(), gateway.resident_kib());
    let long = format!("x-long: {}\r\n", "x".repeat(20 << 20));
    let many: String = (0..10_000).map(|n| format!("x-{n}: y\r\n")).collect();
    for lines in [long, many] {
        let request = handshake(&gateway, "/ws?sessionId=aaaaaaaaaaaaaaaa", &lines);
        let mut stream = gateway.connect();
        // Cut off in the middle when the gateway has seen enough.
        stream.write_all(request.as_bytes()).ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok();
        let answer = String::from_utf8(answer).unwrap();
        assert!([431, 400, 0].contains(&status(&answer)), "{answer}");
    }
    let used = gateway.cpu_ticks() - before.0;
    assert!(used < 50, "{used} ticks of processor time");
    let grown = gateway.resident_kib().saturating_sub(before.1);
    assert!(grown < 2 * 1024, "{grown} KiB");
    assert_eq!(gateway.ask("GET", "/health", "").0, 200);
}

#[test]
fn w13_a_handshake_has_no_body() {
    let gateway = Gateway::start();
    let session = gateway.session("exec cat");
    let target = format!("/ws?sessionId={session}");
    for lines in [
        "content-length: 5\r\n",
        "transfer-encoding: chunked\r\n",
        "content-length: 5\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
        "content-length: 5\r\ncontent-length: 6\r\n",
    ] {
        let hidden = format!("GET /hidden HTTP/1.1\r\nhost: {}\r\n\r\n", gateway.host());
        let request = handshake(&gateway, &target, lines) + "0\r\n\r\n" + &hidden;
        let mut stream = gateway.connect();
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok();
        let answer = String::from_utf8(answer).unwrap();
        assert_eq!(status(&answer), 400, "{lines}: {answer}");
        assert!(!answer.contains("404"), "the hidden request was answered: {answer}");
    }
    assert!(gateway.is_running(&session));
}

#[test]
fn w13_bytes_behind_the_handshake_are_frames() {
    let gateway = Gateway::start();
    let session = gateway.session("exec cat");
    let target = format!("/ws?sessionId={session}");
    let shake = handshake(&gateway, &target, "");
    let with = |behind: &[u8]| {
        let mut stream = gateway.connect();
        stream.write_all(&[shake.as_bytes(), behind].concat()).unwrap();
        let mut peer = Peer::on(stream);
        let head = peer.read_head();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        peer
    };
    let mut peer = with(&frame(FIN | PING, b"early"));
    assert_eq!(peer.event(), Event::Pong(b"early".to_vec()));
    // 'G' is a reserved bit, a fragment and an opcode at once, and no second request.
    let mut peer =
        with(format!("GET /hidden HTTP/1.1\r\nhost: {}\r\n\r\n", gateway.host()).as_bytes());
    assert_eq!(peer.rest(), [Event::Closed(Some(1002))]);
}
