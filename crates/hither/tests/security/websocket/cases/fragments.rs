//! Cases 5 (fragmentation) and 10.1.1 (a message in many fragments).

use super::{Case, Expect, echoed, failed};
use crate::websocket::peer::{Event, FIN, PING, PONG, TEXT, frame};

const CONTINUATION: u8 = 0;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = legal();
    cases.extend(nothing_to_continue());
    cases.extend(long_ones());
    cases
}

fn two() -> Vec<Vec<u8>> {
    vec![frame(TEXT, b"fragment1"), frame(FIN | CONTINUATION, b"fragment2")]
}

fn with_ping_between() -> Vec<Vec<u8>> {
    let mut frames = two();
    frames.insert(1, frame(FIN | PING, b"ping payload"));
    frames
}

fn whole() -> Expect {
    echoed(b"fragment1fragment2")
}

fn pong_then_whole() -> Expect {
    let pong = Event::Pong(b"ping payload".to_vec());
    Expect::Events(vec![pong, Event::Output(b"fragment1fragment2".to_vec())])
}

fn legal() -> Vec<Case> {
    let fragmented =
        |opcode| vec![frame(opcode, b"fragment1"), frame(FIN | CONTINUATION, b"fragment2")];
    vec![
        Case::new("5.1", fragmented(PING), failed(&[1002])),
        Case::new("5.2", fragmented(PONG), failed(&[1002])),
        Case::new("5.3", two(), whole()),
        Case { pieces: two(), ..Case::new("5.4", vec![], whole()) },
        Case::new("5.5", two(), whole()).chopped(1),
        Case::new("5.6", with_ping_between(), pong_then_whole()),
        Case { pieces: with_ping_between(), ..Case::new("5.7", vec![], pong_then_whole()) },
        Case::new("5.8", with_ping_between(), pong_then_whole()).chopped(1),
    ]
}

/// Cases 5.9 to 5.18: a continuation without a start, or a start inside a message.
fn nothing_to_continue() -> Vec<Case> {
    let stray = |fin: u8| {
        vec![
            frame(fin | CONTINUATION, b"non-continuation payload"),
            frame(FIN | TEXT, b"Hello, world!"),
        ]
    };
    let mut cases = Vec::new();
    for (first, fin) in [(9, FIN), (12, 0)] {
        let case = |number: u32| Case::new(format!("5.{number}"), stray(fin), failed(&[1002]));
        cases.push(case(first));
        cases.push(Case { pieces: stray(fin), ..case(first + 1) });
        cases.push(case(first + 2).chopped(1));
    }
    let mut after_whole = two();
    after_whole.extend([frame(CONTINUATION, b"fragment3"), frame(FIN | TEXT, b"fragment4")]);
    let output = b"fragment1fragment2".to_vec();
    cases.push(Case::new("5.15", after_whole, Expect::Failed { output, codes: vec![1002] }));
    for (number, fin) in [("5.16", 0), ("5.17", FIN)] {
        let round = [
            frame(fin | CONTINUATION, b"fragment1"),
            frame(TEXT, b"fragment2"),
            frame(FIN | CONTINUATION, b"fragment3"),
        ];
        cases.push(Case::new(number, [&round[..], &round[..]].concat(), failed(&[1002])));
    }
    let twice = vec![frame(TEXT, b"fragment1"), frame(FIN | TEXT, b"fragment2")];
    cases.push(Case::new("5.18", twice, failed(&[1002])));
    cases
}

fn long_ones() -> Vec<Case> {
    let five = || {
        vec![
            frame(TEXT, b"fragment1"),
            frame(CONTINUATION, b"fragment2"),
            frame(FIN | PING, b"pongme 1!"),
            frame(CONTINUATION, b"fragment3"),
            frame(CONTINUATION, b"fragment4"),
            frame(FIN | PING, b"pongme 2!"),
            frame(FIN | CONTINUATION, b"fragment5"),
        ]
    };
    let expect = || {
        Expect::Events(vec![
            Event::Pong(b"pongme 1!".to_vec()),
            Event::Pong(b"pongme 2!".to_vec()),
            Event::Output(b"fragment1fragment2fragment3fragment4fragment5".to_vec()),
        ])
    };
    let payload = vec![b'*'; 65_536];
    let mut chunks = payload.chunks(1300).peekable();
    let mut many = Vec::new();
    while let Some(chunk) = chunks.next() {
        let fin = if chunks.peek().is_none() { FIN } else { 0 };
        many.push(frame(fin | if many.is_empty() { TEXT } else { CONTINUATION }, chunk));
    }
    vec![
        Case::new("5.19", five(), expect()),
        Case { pieces: five(), ..Case::new("5.20", vec![], expect()) },
        Case::new("10.1.1", many, echoed(payload)),
    ]
}
