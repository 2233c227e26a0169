//! Cases 1 (messages of every length form) and 2 (pings and pongs).

use super::{Case, Expect, echoed, failed};
use crate::websocket::peer::{BINARY, Event, FIN, PING, PONG, TEXT, frame};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = messages("1.1", TEXT, b'*');
    cases.extend(messages("1.2", BINARY, 0xfe));
    cases.extend(pings());
    cases
}

fn messages(group: &str, opcode: u8, byte: u8) -> Vec<Case> {
    let case = |(at, len): (usize, usize)| {
        let payload = vec![byte; len];
        let number = format!("{group}.{}", at + 1);
        Case::new(number, vec![frame(FIN | opcode, &payload)], echoed(payload))
    };
    let lens = [0, 125, 126, 127, 128, 65_535, 65_536, 65_536];
    let mut cases: Vec<Case> = lens.into_iter().enumerate().map(case).collect();
    let last = cases.pop().expect("there are eight").chopped(997);
    cases.push(last);
    if let Some(empty) = cases.first_mut() {
        // Nothing comes back of nothing, but the connection lives.
        empty.expect = Expect::Events(Vec::new());
    }
    cases
}

fn pings() -> Vec<Case> {
    let pong = |payload: &[u8]| Expect::Events(vec![Event::Pong(payload.to_vec())]);
    let ping = |payload: &[u8]| vec![frame(FIN | PING, payload)];
    let binary = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff";
    let ten: Vec<Vec<u8>> = (0..10).map(|n| format!("payload-{n}").into_bytes()).collect();
    let ten_pings: Vec<Vec<u8>> = ten.iter().map(|payload| frame(FIN | PING, payload)).collect();
    let ten_pongs = || Expect::Events(ten.iter().cloned().map(Event::Pong).collect());
    let unsolicited = frame(FIN | PONG, b"unsolicited pong payload");
    vec![
        Case::new("2.1", ping(b""), pong(b"")),
        Case::new("2.2", ping(b"Hello, world!"), pong(b"Hello, world!")),
        Case::new("2.3", ping(binary), pong(binary)),
        Case::new("2.4", ping(&[0xfe; 125]), pong(&[0xfe; 125])),
        Case::new("2.5", ping(&[0xfe; 126]), failed(&[1002])),
        Case::new("2.6", ping(&[0xfe; 125]), pong(&[0xfe; 125])).chopped(1),
        Case::new("2.7", vec![frame(FIN | PONG, b"")], Expect::Events(Vec::new())),
        Case::new("2.8", vec![unsolicited.clone()], Expect::Events(Vec::new())),
        Case::new(
            "2.9",
            vec![unsolicited, frame(FIN | PING, b"ping payload")],
            pong(b"ping payload"),
        ),
        Case::new("2.10", ten_pings.clone(), ten_pongs()),
        Case::new("2.11", ten_pings, ten_pongs()).chopped(1),
    ]
}
