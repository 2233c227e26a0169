//! Row W04: what a peer must not send, and row W08: what our own protocol does not know.

use crate::gateway::{Gateway, status};
use crate::websocket::peer::{
    BINARY, CLOSE, Event, FIN, PING, PONG, Peer, TEXT, close_body, frame, handshake,
};

/// Bytes and the close code that they earn.
fn malformed() -> Vec<(Vec<u8>, u16)> {
    let mut all = vec![
        (b"\x82\x01x".to_vec(), 1002),
        (frame(0, b"x"), 1002),
        (frame(FIN, b"x"), 1002),
        ([frame(TEXT, b"a"), frame(FIN | TEXT, b"b")].concat(), 1002),
        ([frame(BINARY, b"a"), frame(BINARY, b"b")].concat(), 1002),
        (frame(FIN | CLOSE, b"\x03"), 1002),
        (frame(FIN | CLOSE, &close_body(1000, b"\xff")), 1007),
        ([&[0x82, 0xfe][..], &5_u16.to_be_bytes(), b"maskhello"].concat(), 1002),
        ([&[0x82, 0xff][..], &5_u64.to_be_bytes(), b"maskhello"].concat(), 1002),
        ([&[0x82, 0xff][..], &(1_u64 << 63).to_be_bytes(), b"mask"].concat(), 1002),
        ([&[0x82, 0xff][..], &(u64::MAX >> 1).to_be_bytes(), b"mask"].concat(), 1009),
    ];
    for bits in 1..8 {
        all.push((frame(FIN | bits << 4 | BINARY, b"x"), 1002));
    }
    for opcode in (0x3..=0x7).chain(0xb..=0xf) {
        all.push((frame(FIN | opcode, b"x"), 1002));
    }
    for control in [CLOSE, PING, PONG] {
        all.push((frame(FIN | control, &[b'x'; 126]), 1002));
        all.push((frame(control, b""), 1002));
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 5000] {
        all.push((frame(FIN | CLOSE, &close_body(code, b"")), 1002));
    }
    all
}

#[test]
fn w04_malformed_frames_close_with_their_code() {
    let gateway = Gateway::start();
    let session = gateway.session("exec cat");
    let all = malformed();
    let round = || {
        for (bytes, code) in &all {
            let mut peer = Peer::attach(&gateway, &session);
            peer.send(bytes);
            assert_eq!(peer.rest(), [Event::Closed(Some(*code))], "{bytes:02x?}");
        }
    };
    round();
    let before = gateway.resident_kib();
    round();
    let grown = gateway.resident_kib().saturating_sub(before);
    assert!(grown < 1024, "{grown} KiB more after {} bad peers", all.len());
    assert!(gateway.is_running(&session));
}

#[test]
fn w04_malformed_handshakes_are_answered_in_http() {
    let gateway = Gateway::start();
    let session = gateway.session("exec cat");
    let good = handshake(&gateway, &format!("/ws?sessionId={session}"), "");
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    for (from, to, expect) in [
        (key, "c2hvcnQ=", 400),
        (key, "dGhlIHNhbXBsZSBub25jZXg=", 400),
        (key, "", 400),
        ("version: 13", "version: 12", 426),
        ("version: 13", "version: 0", 426),
        ("version: 13", "version: thirteen", 426),
        ("websocket\r\n", "h2c\r\n", 426),
        ("GET ", "POST ", 405),
        ("HTTP/1.1", "HTTP/1.0", 426),
    ] {
        let request = good.replacen(from, to, 1);
        assert_ne!(request, good, "{from}");
        let mut stream = gateway.connect();
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        let head = Peer::on(stream).read_head();
        assert_eq!(status(&head), expect, "{to}: {head}");
    }
    assert!(gateway.is_running(&session));
}

/// What `hither.v1` says of unknown types (docs/protocol.md): they are ignored and counted, so that
/// a newer client can talk to an older gateway. What is known and malformed closes the connection.
#[test]
fn w08_unknown_messages_of_our_protocol_change_nothing() {
    let gateway = Gateway::start();
    let session = gateway.session("exec cat");
    let hello = || frame(FIN | BINARY, b"\x01{\"client\":\"0123456789abcdef\"}");
    let target = format!("/ws?session={session}");
    let open = || Peer::open(&gateway, &target, "sec-websocket-protocol: hither.v1\r\n");
    for (bytes, code) in [
        (frame(FIN | TEXT, b"\x01{}"), 1003),
        (frame(FIN | BINARY, b""), 4400),
        (frame(FIN | BINARY, b"\x01{"), 4400),
        (frame(FIN | BINARY, b"\x01{}"), 4400),
        (frame(FIN | BINARY, b"\x01[]"), 4400),
        (frame(FIN | BINARY, b"\x02\0\0\0\0\0\0\0\x01ls"), 4400),
        ([hello(), hello()].concat(), 4400),
        ([hello(), frame(FIN | BINARY, b"\x02\0")].concat(), 4400),
        ([hello(), frame(FIN | BINARY, b"\x03\0")].concat(), 4400),
        ([hello(), frame(FIN | BINARY, b"\x04\xff\xff\xff\xff\xff\xff\xff\xff")].concat(), 4400),
    ] {
        let mut peer = open();
        peer.send(&bytes);
        assert_eq!(peer.rest().last(), Some(&Event::Closed(Some(code))), "{bytes:02x?}");
    }
    // Types that nobody knows yet, with any content, then a ping that is answered: nothing happened.
    let mut peer = open();
    peer.send(&hello());
    for kind in 0x10..=0xff_u8 {
        let content = [kind].repeat(usize::from(kind));
        peer.send(&frame(FIN | BINARY, &content));
    }
    peer.send(&frame(FIN | PING, b"still here"));
    let events = peer.until(|events| matches!(events.last(), Some(Event::Pong(_))));
    assert_eq!(events.last(), Some(&Event::Pong(b"still here".to_vec())));
    assert!(gateway.is_running(&session));
}
