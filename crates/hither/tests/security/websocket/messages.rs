//! Rows W05 to W07 and W14: pieces, pings, bytes and goodbyes.

use std::time::Instant;

use crate::gateway::{Gateway, HANG};
use crate::websocket::peer::{
    BINARY, CLOSE, Event, FIN, PING, PONG, Peer, TEXT, close_body, frame,
};

#[test]
fn w05_every_split_of_a_conversation_means_the_same() {
    let gateway = Gateway::start();
    let conversation = [
        frame(FIN | TEXT, "ä".as_bytes()),
        frame(FIN | PING, b"ping"),
        frame(FIN | BINARY, b"\0\xff"),
        frame(FIN | CLOSE, &close_body(1000, b"")),
    ];
    let bytes = conversation[..3].concat();
    for cut in 0..=bytes.len() {
        let session = gateway.echo_session();
        let mut peer = Peer::attach_echo(&gateway, &session);
        let (head, tail) = bytes.split_at(cut);
        peer.send(head);
        // Answered by another thread of the gateway: by then the first part is on its way.
        assert_eq!(gateway.ask("GET", "/health", "").0, 200);
        peer.send(tail);
        let done = |events: &[Event]| outputs(events).len() == 4 && pongs(events) == 1;
        let events = peer.until(done);
        assert_eq!(outputs(&events), "ä\0".bytes().chain([0xff]).collect::<Vec<_>>(), "{cut}");
        peer.send(&conversation[3]);
        assert_eq!(peer.rest(), [Event::Closed(Some(1000))], "{cut}");
        gateway.end_session(&session);
    }
}

fn outputs(events: &[Event]) -> Vec<u8> {
    let bytes =
        |event: &Event| if let Event::Output(bytes) = event { bytes.clone() } else { vec![] };
    events.iter().flat_map(bytes).collect()
}

fn pongs(events: &[Event]) -> usize {
    events.iter().filter(|event| **event == Event::Pong(b"ping".to_vec())).count()
}

#[test]
fn w06_a_ping_between_fragments_is_answered_before_the_message() {
    let gateway = Gateway::start();
    let session = gateway.echo_session();
    let mut peer = Peer::attach_echo(&gateway, &session);
    let payload: Vec<u8> = (0..125).collect();
    peer.send(&frame(BINARY, b"one "));
    peer.send(&frame(FIN | PONG, b"nobody asked"));
    peer.send(&frame(FIN | PING, &payload));
    assert_eq!(peer.event(), Event::Pong(payload));
    peer.send(&frame(FIN, b"two"));
    let all = |events: &[Event]| outputs(events).len() == 7;
    assert_eq!(peer.until(all), [Event::Output(b"one two".to_vec())]);
}

#[test]
fn w07_binary_messages_carry_every_byte_and_text_only_utf8() {
    let gateway = Gateway::start();
    let session = gateway.echo_session();
    let mut peer = Peer::attach_echo(&gateway, &session);
    for byte in 0..=u8::MAX {
        let payload = vec![byte; 4096];
        peer.send(&frame(FIN | BINARY, &payload));
        let all = |events: &[Event]| outputs(events).len() >= 4096;
        assert_eq!(peer.until(all), [Event::Output(payload)], "{byte:#04x}");
    }
    for bytes in [
        frame(FIN | TEXT, b"\xff"),
        frame(FIN | TEXT, b"a\xed\xa0\x80"),
        [frame(TEXT, b"\xe2\x82"), frame(FIN, b"x")].concat(),
        [frame(TEXT, b"\xf0\x9f"), frame(0, b""), frame(FIN, b"\x98")].concat(),
    ] {
        let mut peer = Peer::attach(&gateway, &session);
        peer.send(&bytes);
        assert_eq!(peer.rest().last(), Some(&Event::Closed(Some(1007))), "{bytes:02x?}");
    }
}

#[test]
fn w14_the_close_handshake_ends_the_connection_and_not_the_session() {
    let gateway = Gateway::start();
    let session = gateway.echo_session();
    let mut other = Peer::attach_echo(&gateway, &session);
    let mut peer = Peer::attach_echo(&gateway, &session);
    peer.send(&frame(FIN | CLOSE, &close_body(1001, b"the page goes away")));
    assert_eq!(peer.rest(), [Event::Closed(Some(1001))]);
    // A peer that closes without a word is as good.
    drop(Peer::attach_echo(&gateway, &session));
    other.send(&frame(FIN | TEXT, b"alive"));
    let all = |events: &[Event]| outputs(events).len() == 5;
    assert_eq!(other.until(all), [Event::Output(b"alive".to_vec())]);
    assert!(gateway.is_running(&session));
}

#[test]
fn w14_a_peer_that_never_answers_a_close_is_let_go() {
    let gateway = Gateway::start();
    let session = gateway.echo_session();
    let mut peer = Peer::attach_echo(&gateway, &session);
    assert!(gateway.holds(peer.port()));
    peer.fall_silent();
    gateway.end_session(&session);
    // The gateway speaks first. Nothing is answered, and it lets the socket go all the same.
    assert_eq!(peer.rest(), [Event::Closed(Some(4410))]);
    let start = Instant::now();
    while gateway.holds(peer.port()) {
        assert!(start.elapsed() < HANG, "the socket is still open");
        assert_eq!(gateway.ask("GET", "/health", "").0, 200);
    }
}
