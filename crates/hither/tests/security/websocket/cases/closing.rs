//! Cases 7: the close handshake.

use super::{Case, Expect, failed};
use crate::websocket::peer::{CLOSE, FIN, PING, TEXT, close_body, frame};

const HELLO: &[u8] = b"Hello World!";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = order();
    cases.extend(bodies());
    cases.extend(codes());
    cases
}

fn close(code: u16) -> Vec<u8> {
    frame(FIN | CLOSE, &close_body(code, b""))
}

/// A close frame was answered, whatever was sent behind it.
fn closed(output: &[u8]) -> Expect {
    Expect::Closed { output: output.to_vec(), code: Some(1000) }
}

fn order() -> Vec<Case> {
    let text = |payload: &[u8]| frame(FIN | TEXT, payload);
    let long = b"BAsd7&jh23".iter().copied().cycle().take(256 << 10).collect::<Vec<u8>>();
    let long_and_hello = [&long[..], HELLO].concat();
    vec![
        Case::new("7.1.1", vec![text(HELLO)], Expect::Events(vec![output(HELLO)])),
        Case::new("7.1.2", vec![close(1000), frame(FIN | CLOSE, b"")], closed(b"")),
        Case::new("7.1.3", vec![close(1000), frame(FIN | PING, b"")], closed(b"")),
        Case::new("7.1.4", vec![close(1000), text(HELLO)], closed(b"")),
        Case::new(
            "7.1.5",
            vec![frame(TEXT, b"fragment1"), close(1000), frame(FIN, b"fragment2")],
            closed(b""),
        ),
        Case::new(
            "7.1.6",
            vec![text(&long), text(HELLO), close(1000), frame(FIN | PING, b"")],
            closed(&long_and_hello),
        ),
    ]
}

fn output(payload: &[u8]) -> crate::websocket::peer::Event {
    crate::websocket::peer::Event::Output(payload.to_vec())
}

fn bodies() -> Vec<Case> {
    let with = |body: &[u8]| vec![frame(FIN | CLOSE, body)];
    let reason = |len: usize| close_body(1000, &vec![b'*'; len]);
    let bad_text =
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80\x65\x64\x69\x74\x65\x64";
    vec![
        Case::new("7.3.1", with(b""), closed(b"")),
        Case::new("7.3.2", with(b"a"), failed(&[1002])),
        Case::new("7.3.3", with(&close_body(1000, b"")), closed(b"")),
        Case::new("7.3.4", with(&close_body(1000, b"Hello World!")), closed(b"")),
        Case::new("7.3.5", with(&reason(123)), closed(b"")),
        Case::new("7.3.6", with(&reason(124)), failed(&[1002])),
        Case::new("7.5.1", with(&close_body(1000, bad_text)), failed(&[1002, 1007])),
    ]
}

fn codes() -> Vec<Case> {
    let valid = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
    let invalid = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
    let undefined = [5000, 65_535];
    let good = |(at, code): (usize, u16)| {
        let expect = Expect::Closed { output: Vec::new(), code: Some(code) };
        Case::new(format!("7.7.{}", at + 1), vec![close(code)], expect)
    };
    let bad = |group: &'static str| {
        move |(at, code): (usize, u16)| {
            Case::new(format!("{group}.{}", at + 1), vec![close(code)], failed(&[1002]))
        }
    };
    let mut cases: Vec<Case> = valid.into_iter().enumerate().map(good).collect();
    cases.extend(invalid.into_iter().enumerate().map(bad("7.9")));
    cases.extend(undefined.into_iter().enumerate().map(bad("7.13")));
    cases
}
