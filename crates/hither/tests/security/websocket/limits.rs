//! Rows W09 to W11: how much a peer may send, and that nothing is ever inflated.

use crate::gateway::Gateway;
use crate::websocket::peer::{BINARY, Event, FIN, PING, Peer, TEXT, frame};

/// Most bytes of a message: docs/protocol.md, section 10.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

#[test]
fn w09_a_message_may_reach_the_limit_and_not_pass_it() {
    let gateway = Gateway::start();
    let session = gateway.session("stty raw -echo; printf ready; exec cat >/dev/null");
    let most = vec![b'x'; MESSAGE_BYTES_MAX];
    let mut peer = Peer::attach_echo(&gateway, &session);
    peer.send(&frame(FIN | BINARY, &most));
    peer.send(&frame(FIN | PING, b"taken"));
    let events = peer.until(|events| matches!(events.last(), Some(Event::Pong(_))));
    assert_eq!(events, [Event::Pong(b"taken".to_vec())]);

    let more = [&most[..], b"x"].concat();
    let (head, tail) = more.split_at(MESSAGE_BYTES_MAX / 2);
    let before = gateway.resident_kib();
    for bytes in [
        frame(FIN | BINARY, &more),
        frame(FIN | TEXT, &more),
        [frame(BINARY, head), frame(FIN, tail)].concat(),
        [frame(TEXT, &most), frame(0, b""), frame(FIN, b"x")].concat(),
    ] {
        let mut peer = Peer::attach_echo(&gateway, &session);
        peer.send(&bytes);
        assert_eq!(peer.rest(), [Event::Closed(Some(1009))]);
    }
    let grown = gateway.resident_kib().saturating_sub(before);
    assert!(grown < 2 * 1024 + 512, "{grown} KiB for messages that were refused");
    assert!(gateway.is_running(&session));
}

/// CVE-2026-12151 of undici: fragments without content that never end.
#[test]
fn w10_a_million_empty_fragments_are_not_collected() {
    let gateway = Gateway::start();
    let session = gateway.session("exec cat");
    let mut peer = Peer::attach(&gateway, &session);
    let before = (gateway.cpu_ticks(), gateway.resident_kib());
    peer.send(&frame(TEXT, b""));
    let thousand = frame(0, b"").repeat(1000);
    for _ in 0..1000 {
        peer.send(&thousand);
    }
    let last = peer.rest().pop();
    let code = matches!(last, Some(Event::Closed(Some(1008 | 1009)) | Event::Cut));
    assert!(code, "{last:?}");
    let used = gateway.cpu_ticks() - before.0;
    assert!(used < 100, "{used} ticks of processor time");
    let grown = gateway.resident_kib().saturating_sub(before.1);
    assert!(grown < 1024, "{grown} KiB");
    // The code is seen when the fragments stop where the limit is.
    let mut peer = Peer::attach(&gateway, &session);
    peer.send(&[frame(TEXT, b""), frame(0, b"").repeat(1023)].concat());
    let last = peer.rest().pop();
    assert!(matches!(last, Some(Event::Closed(Some(1008 | 1009)))), "{last:?}");
    assert!(gateway.is_running(&session));
}

#[test]
fn w11_compression_is_declined() {
    let gateway = Gateway::start();
    let session = gateway.session("exec cat");
    let target = format!("/ws?sessionId={session}");
    for offer in [
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_max_window_bits=7; client_max_window_bits=16",
        "x-webkit-deflate-frame, permessage-bzip2",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    ] {
        let lines = format!("sec-websocket-extensions: {offer}\r\n");
        let mut stream = gateway.connect();
        let request = crate::websocket::peer::handshake(&gateway, &target, &lines);
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        let mut peer = Peer::on(stream);
        let head = peer.read_head().to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 101"), "{head}");
        assert!(!head.contains("sec-websocket-extensions"), "{head}");
        // Whoever compresses all the same has misunderstood.
        peer.send(&frame(FIN | 0x40 | TEXT, b"\xf2\x48\xcd\xc9\xc9\x07\x00"));
        assert_eq!(peer.rest().pop(), Some(Event::Closed(Some(1002))), "{offer}");
    }
}
