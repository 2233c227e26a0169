//! Row W03: the cases 1 to 7 of the Autobahn test suite for clients, after their published
//! descriptions, as far as they apply to a client that expects binary messages of `hither.v1`.

use hither_client::{Attachment, ConnectionError, Event, Progress};
use hither_core::Offset;
use hither_protocol::hither::{FRAGMENTS_MAX, SERVER_MESSAGE_BYTES_MAX, ServerFrame};

use crate::peer::{Peer, output, welcome};
use crate::{CLIENT, WISH, play, session};

const FIN: u8 = 0x80;
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const MASKED: u8 = 0x80;

/// What the client does with a conversation: the output that it shows, the pongs that it sends, and
/// the code of its close frame; `None`: a close frame without one.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    shown: Vec<u8>,
    pongs: Vec<Vec<u8>>,
    code: Option<u16>,
}

fn outcome(shown: &[u8], pongs: &[&[u8]], code: Option<u16>) -> Outcome {
    let pongs = pongs.iter().map(|pong| pong.to_vec()).collect();
    Outcome { shown: shown.to_vec(), pongs, code }
}

fn failed(code: u16) -> Outcome {
    outcome(b"", &[], Some(code))
}

/// A frame as it stands, whatever its first byte says.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..=125 => bytes.push(u8::try_from(len).unwrap()),
        len @ 126..=65_535 => {
            bytes.push(126);
            bytes.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        len => {
            bytes.push(127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend(payload);
    bytes
}

fn goodbye(code: u16) -> Vec<u8> {
    frame(FIN | CLOSE, &code.to_be_bytes())
}

/// The body of a message of output from the beginning of the session.
fn body(bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    ServerFrame::Output { offset: Offset(0), bytes }.encode(&mut body);
    body
}

/// Sends `conversation` behind the welcome, in pieces of `portion` bytes, and sees what becomes of it.
fn converse(conversation: &[u8], portion: usize) -> Outcome {
    let bytes = conversation.to_vec();
    let (server, script) = play(move |listener| {
        let socket = listener.accept().unwrap().0;
        socket.set_nodelay(true).unwrap();
        let (mut peer, _) = Peer::accept(socket, &welcome(0, 0));
        assert_eq!(peer.next().as_deref(), Some("hello None"));
        for piece in bytes.chunks(portion) {
            // A client that has failed the connection takes no more of it.
            if peer.try_send(piece).is_err() {
                break;
            }
        }
        peer.hear_out()
    });
    let mut attachment = Attachment::new(CLIENT, WISH);
    let mut connection = server.connect(session(), CLIENT, &mut attachment).unwrap();
    let mut shown = Vec::new();
    loop {
        let progress = connection.receive(&mut attachment, |event| {
            if let Event::Output(bytes) = event {
                shown.extend_from_slice(bytes);
            }
        });
        match progress {
            Ok(Progress::Read | Progress::NothingThere) => {}
            Ok(Progress::Closed(_))
            | Err(ConnectionError::WebSocket(_) | ConnectionError::Attach(_)) => break,
            Err(error) => panic!("{error}"),
        }
    }
    drop(connection);
    let (pongs, code) = script.join().unwrap();
    Outcome { shown, pongs, code }
}

/// All conversations, at once and (the short ones) byte by byte.
fn judge(cases: Vec<(&str, Vec<Vec<u8>>, Outcome)>) {
    for (name, frames, expected) in cases {
        let conversation = frames.concat();
        assert_eq!(converse(&conversation, usize::MAX), expected, "{name}");
        if conversation.len() < 1000 {
            assert_eq!(converse(&conversation, 1), expected, "{name}, byte by byte");
        }
    }
}

#[test]
fn w03_a_client_reads_messages_and_fragments_of_every_form() {
    let text = |len: usize| b"Hither, "[..].iter().copied().cycle().take(len).collect::<Vec<u8>>();
    for len in [1, 100, 125, 126, 127, 128, 65_535, 65_536] {
        let expected = outcome(&text(len), &[], Some(1000));
        assert_eq!(converse(&[output(0, &text(len)), goodbye(1000)].concat(), 997), expected);
    }
    let whole = body(b"one message");
    let (start, rest) = whole.split_at(4);
    let fragments = |between: Vec<u8>| {
        let (start, end) = (frame(BINARY, start), frame(FIN | CONTINUATION, rest));
        vec![start, between, end, goodbye(1000)]
    };
    let empty = frame(CONTINUATION, b"");
    judge(vec![
        ("two fragments", fragments(vec![]), outcome(b"one message", &[], Some(1000))),
        ("an empty one", fragments(empty), outcome(b"one message", &[], Some(1000))),
        (
            "a ping between",
            fragments(frame(FIN | PING, b"now?")),
            outcome(b"one message", &[b"now?"], Some(1000)),
        ),
    ]);
}

#[test]
fn w03_a_client_answers_pings_and_ignores_pongs() {
    let long = [0xfe; 125];
    let ten: Vec<_> = (0..10u8).map(|number| frame(FIN | PING, &[number])).collect();
    let numbers: Vec<_> = (0..10u8).map(|number| [number]).collect();
    let numbers: Vec<&[u8]> = numbers.iter().map(|number| &number[..]).collect();
    let end = || goodbye(1000);
    judge(vec![
        ("empty", vec![frame(FIN | PING, b""), end()], outcome(b"", &[b""], Some(1000))),
        ("longest", vec![frame(FIN | PING, &long), end()], outcome(b"", &[&long], Some(1000))),
        ("ten", vec![ten.concat(), end()], outcome(b"", &numbers, Some(1000))),
        ("pong", vec![frame(FIN | PONG, b"unasked"), end()], outcome(b"", &[], Some(1000))),
        ("too long", vec![frame(FIN | PING, &[0; 126]), end()], failed(1002)),
        ("fragment of a ping", vec![frame(PING, b"a"), end()], failed(1002)),
        ("fragment of a pong", vec![frame(PONG, b"a"), end()], failed(1002)),
    ]);
}

#[test]
fn w03_a_client_fails_a_server_that_breaks_the_framing() {
    let whole = body(b"x");
    let masked = vec![FIN | BINARY, MASKED | 1, 0, 0, 0, 0, b'x'];
    let mut cases = vec![("masked", vec![masked], failed(1002))];
    for bits in [0x10, 0x20, 0x40, 0x70] {
        cases.push(("reserved bits", vec![frame(FIN | bits | BINARY, &whole)], failed(1002)));
    }
    for opcode in (3..=7).chain(11..=15) {
        cases.push(("reserved opcode", vec![frame(FIN | opcode, b"")], failed(1002)));
    }
    let start = || frame(BINARY, &whole);
    let stray = frame(FIN | CONTINUATION, &whole);
    let huge = [&[FIN | BINARY, 127][..], &[0x80, 0, 0, 0, 0, 0, 0, 0]].concat();
    let long = [&[FIN | BINARY, 126][..], &[0, 5], b"12345"].concat();
    let over = (SERVER_MESSAGE_BYTES_MAX as u64 + 1).to_be_bytes();
    let over = [&[FIN | BINARY, 127][..], &over].concat();
    let many = vec![frame(CONTINUATION, b""); FRAGMENTS_MAX as usize];
    cases.extend([
        ("nothing to continue", vec![stray], failed(1002)),
        ("a start inside a message", vec![start(), start()], failed(1002)),
        ("length over 2^63", vec![huge], failed(1002)),
        ("length in a longer form", vec![long], failed(1002)),
        ("message over the limit", vec![over], failed(1009)),
        ("fragments over the limit", vec![start(), many.concat()], failed(1009)),
        (
            "text that is not UTF-8",
            vec![frame(FIN | TEXT, b"\xce\xba\xe1\xbd\xb9\xed\xa0")],
            failed(1007),
        ),
        ("a message that is none of hither.v1", vec![frame(FIN | BINARY, b"")], failed(4400)),
    ]);
    judge(cases);
}

#[test]
fn w03_a_client_answers_every_close_with_its_code() {
    let close = |body: &[u8]| vec![frame(FIN | CLOSE, body)];
    let reason = |code: u16, reason: &[u8]| [&code.to_be_bytes()[..], reason].concat();
    let mut cases = vec![
        ("no code", close(b""), outcome(b"", &[], None)),
        ("half a code", close(b"\x03"), failed(1002)),
        ("longest reason", close(&reason(1000, &[b'*'; 123])), failed(1000)),
        ("too long a reason", close(&reason(1000, &[b'*'; 124])), failed(1002)),
        ("a reason that is not UTF-8", close(&reason(1000, b"\xed\xa0\x80")), failed(1007)),
        (
            "what follows a close is not read",
            vec![goodbye(1000), output(0, b"late"), frame(FIN | PING, b"late")],
            failed(1000),
        ),
    ];
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
        cases.push(("a code", vec![goodbye(code)], failed(code)));
    }
    for code in [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535] {
        cases.push(("a code that must not be sent", vec![goodbye(code)], failed(1002)));
    }
    judge(cases);
}
