//! Row W01: the cases 1 to 7 and 10 of the Autobahn test suite, after their published descriptions.
//!
//! The suite itself is a program for Python 2, which no supported system has any more. Its cases
//! want a server that echoes messages. Here a session's program echoes bytes, so the payload must
//! come back; where messages end is not the terminal's concern.

mod closing;
mod fragments;
mod framing;
mod reserved;
mod utf8;

use crate::gateway::Gateway;
use crate::websocket::peer::{CLOSE, Event, FIN, Peer, close_body, frame};

/// A case: what is sent, in which pieces, and what must become of it.
pub(super) struct Case {
    /// Its number in the suite.
    number: String,
    /// Each is written by itself.
    pieces: Vec<Vec<u8>>,
    expect: Expect,
}

pub(super) enum Expect {
    /// These events; then a close frame is answered by one with its code.
    Events(Vec<Event>),
    /// At most this output, no pong, and the connection is failed with one of these codes.
    Failed { output: Vec<u8>, codes: Vec<u16> },
    /// The close frame among the pieces is answered with this code; at most this output before.
    Closed { output: Vec<u8>, code: Option<u16> },
}

impl Case {
    fn new(number: impl Into<String>, frames: Vec<Vec<u8>>, expect: Expect) -> Self {
        Self { number: number.into(), pieces: vec![frames.concat()], expect }
    }

    /// The same bytes in pieces of this many bytes.
    fn chopped(self, len: usize) -> Self {
        let bytes = self.pieces.concat();
        Self { pieces: bytes.chunks(len).map(<[u8]>::to_vec).collect(), ..self }
    }
}

fn echoed(payload: impl Into<Vec<u8>>) -> Expect {
    Expect::Events(vec![Event::Output(payload.into())])
}

fn failed(codes: &[u16]) -> Expect {
    Expect::Failed { output: Vec::new(), codes: codes.to_vec() }
}

/// Runs cases, each on a session of its own; answers how many there were.
fn run(gateway: &Gateway, cases: Vec<Case>) -> usize {
    let count = cases.len();
    for case in cases {
        let session = gateway.echo_session();
        let mut peer = Peer::attach_echo(gateway, &session);
        for piece in &case.pieces {
            peer.send(piece);
        }
        judge(&mut peer, &case);
        assert!(gateway.is_running(&session), "case {}", case.number);
        gateway.end_session(&session);
    }
    count
}

fn judge(peer: &mut Peer, case: &Case) {
    let number = &case.number;
    match &case.expect {
        Expect::Events(expect) => {
            let all = |events: &[Event]| length(events) >= length(expect);
            assert_eq!(&peer.until(all), expect, "case {number}");
            peer.send(&frame(FIN | CLOSE, &close_body(1000, b"")));
            assert_eq!(peer.rest(), [Event::Closed(Some(1000))], "case {number}");
        }
        Expect::Failed { output, codes } => {
            let code = ended(peer, number, output);
            assert!(code.is_some_and(|code| codes.contains(&code)), "case {number}: {code:?}");
        }
        Expect::Closed { output, code } => {
            assert_eq!(ended(peer, number, output), *code, "case {number}");
        }
    }
}

/// The code of the close frame, before which at most `output` may come.
fn ended(peer: &mut Peer, number: &str, output: &[u8]) -> Option<u16> {
    let mut events = peer.rest();
    let Some(Event::Closed(code)) = events.pop() else {
        panic!("case {number}: the connection was cut without a word")
    };
    match &events[..] {
        [] => {}
        [Event::Output(bytes)] => assert!(output.starts_with(bytes), "case {number}: {bytes:?}"),
        other => panic!("case {number}: {other:?}"),
    }
    code
}

/// Bytes of output and number of pongs: when they are all there.
fn length(events: &[Event]) -> usize {
    let of = |event: &Event| if let Event::Output(bytes) = event { bytes.len() } else { 1 };
    events.iter().map(of).sum()
}

#[test]
fn w01_cases_1_and_2_framing_and_pings() {
    assert_eq!(run(&Gateway::start(), framing::cases()), 16 + 11);
}

#[test]
fn w01_cases_3_and_4_reserved_bits_and_opcodes() {
    assert_eq!(run(&Gateway::start(), reserved::cases()), 7 + 10);
}

#[test]
fn w01_cases_5_and_10_fragmentation() {
    assert_eq!(run(&Gateway::start(), fragments::cases()), 20 + 1);
}

#[test]
fn w01_cases_6_utf8() {
    assert_eq!(run(&Gateway::start(), utf8::cases()), 145);
}

#[test]
fn w01_cases_7_closing() {
    assert_eq!(run(&Gateway::start(), closing::cases()), 37);
}
