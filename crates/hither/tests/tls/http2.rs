//! HTTP/2: requests, and row H07 of the security catalogue: what a hostile client may not do.

use std::io::{Read as _, Write as _};

use crate::client::{Client, Trust};
use crate::gateway::Gateway;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
// Frame types and flags (RFC 9113, section 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
/// Error code (RFC 9113, section 7).
const ENHANCE_YOUR_CALM: u32 = 11;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn open(gateway: &Gateway) -> Client {
    let trust = Trust::of(&gateway.authority).offering(b"h2");
    let mut client = Client::open(gateway.connect(), &trust).unwrap();
    client.0.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).unwrap();
    client
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A field block (RFC 7541) for a GET: static entries, then the path and the authority as literals.
fn get(host: &str, path: &str) -> Vec<u8> {
    let literal = |index: u8, text: &str| {
        let len = u8::try_from(text.len()).unwrap();
        [&[0x40 | index, len][..], text.as_bytes()].concat()
    };
    [&[0x82, 0x87][..], &literal(4, path), &literal(1, host)].concat()
}

/// The next frame: kind, flags, stream, payload. None at the end of the stream.
fn next(client: &mut Client) -> Option<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    client.0.read_exact(&mut head).ok()?;
    let len = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; usize::try_from(len).unwrap()];
    client.0.read_exact(&mut payload).ok()?;
    let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
    Some((head[3], head[4], stream, payload))
}

/// Reads until the gateway gives up; the error code of its goodbye, if there was one.
fn goodbye(client: &mut Client) -> Option<u32> {
    let mut code = None;
    while let Some((kind, _, _, payload)) = next(client) {
        if kind == GOAWAY {
            code = Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
        }
    }
    code
}

/// Sends the same bytes until the gateway takes no more, at most `times`.
fn flood(client: &mut Client, bytes: impl Fn(u32) -> Vec<u8>, times: u32) {
    for round in 0..times {
        if client.0.write_all(&bytes(round)).is_err() {
            return;
        }
    }
    client.0.flush().ok();
}

#[test]
fn requests_share_a_connection() {
    let gateway = Gateway::start();
    let mut client = open(&gateway);
    let host = gateway.host();
    for (stream, path) in [(1, "/health"), (3, "/"), (5, "/nothing"), (7, "/ws?sessionId=a")] {
        let request = frame(HEADERS, END_STREAM | END_HEADERS, stream, &get(&host, path));
        client.0.write_all(&request).unwrap();
    }
    let mut statuses = Vec::new();
    let mut open = vec![1, 3, 5, 7];
    while !open.is_empty() {
        let (kind, flags, stream, payload) = next(&mut client).expect("answers");
        if kind == HEADERS {
            statuses.push((stream, payload[0]));
        }
        if flags & END_STREAM != 0 && (kind == HEADERS || kind == DATA) {
            open.retain(|&other| other != stream);
        }
    }
    statuses.sort_unstable();
    // 0x88 is :status 200, 0x8d is :status 404; 426 is no entry of the table, but a literal.
    assert_eq!(statuses[..3], [(1, 0x88), (3, 0x88), (5, 0x8d)]);
    assert_ne!(statuses[3].1, 0x88, "WebSockets are HTTP/1.1 only");
}

#[test]
fn the_name_of_the_server_is_checked_here_too() {
    let gateway = Gateway::start();
    let mut client = open(&gateway);
    let request = frame(HEADERS, END_STREAM | END_HEADERS, 1, &get("evil.test", "/health"));
    client.0.write_all(&request).unwrap();
    loop {
        let (kind, _, _, payload) = next(&mut client).expect("an answer");
        if kind == HEADERS {
            // A literal status behind the indexed name: 421.
            assert!(payload.windows(3).any(|text| text == b"421") || payload[0] != 0x88);
            return;
        }
    }
}

#[test]
fn rapid_reset_ends_the_connection() {
    let gateway = Gateway::start();
    let before = gateway.cpu_ticks();
    let mut client = open(&gateway);
    let host = gateway.host();
    let request_and_reset = |round: u32| {
        let stream = 1 + 2 * round;
        let request = frame(HEADERS, END_STREAM | END_HEADERS, stream, &get(&host, "/health"));
        [request, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
    };
    // Few enough to be read at once: what the gateway has not read when it closes would take its
    // goodbye away.
    let some: Vec<u8> = (0..100).flat_map(request_and_reset).collect();
    client.0.write_all(&some).unwrap();
    assert_eq!(goodbye(&mut client), Some(ENHANCE_YOUR_CALM));
    let mut client = open(&gateway);
    flood(&mut client, request_and_reset, 10_000);
    assert!(gateway.is_well());
    assert!(gateway.cpu_ticks() - before < 100, "less than a second of CPU");
}

#[test]
fn endless_headers_end_the_connection() {
    let gateway = Gateway::start();
    let before = gateway.cpu_ticks();
    // A literal field that is never indexed, over and over (RUSTSEC-2024-0332).
    let fields = [&[0, 1, b'a', 0x7f, 0x81, 0x01][..], &[b'b'; 256]].concat();
    let begin = frame(HEADERS, END_STREAM, 1, &get(&gateway.host(), "/health"));
    let more = frame(CONTINUATION, 0, 1, &fields);
    let mut client = open(&gateway);
    // Few enough to be read at once: what the gateway has not read when it closes would take its
    // goodbye away.
    client.0.write_all(&[begin.clone(), more.repeat(20)].concat()).unwrap();
    assert_eq!(goodbye(&mut client), Some(ENHANCE_YOUR_CALM));
    let mut client = open(&gateway);
    client.0.write_all(&begin).unwrap();
    flood(&mut client, |_| more.clone(), 100_000);
    assert!(gateway.is_well());
    assert!(gateway.cpu_ticks() - before < 100, "less than a second of CPU");
}

#[test]
fn floods_of_settings_and_pings_do_not_pile_up() {
    let gateway = Gateway::start();
    for (kind, payload) in [(SETTINGS, vec![0, 4, 0, 1, 0, 0]), (PING, vec![0; 8])] {
        let mut client = open(&gateway);
        // Nobody reads the answers: the gateway stops reading when they do not fit, and the
        // client's own writes fail or wait.
        client.0.sock.set_write_timeout(Some(std::time::Duration::from_millis(500))).unwrap();
        flood(&mut client, |_| frame(kind, 0, 0, &payload).repeat(64), 2_000);
        assert!(gateway.is_well(), "frame type {kind}");
    }
}
