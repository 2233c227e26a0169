//! Cases 3 (reserved bits) and 4 (reserved opcodes).

use super::{Case, Expect};
use crate::websocket::peer::{BINARY, CLOSE, FIN, PING, TEXT, frame};

const HELLO: &[u8] = b"Hello, world!";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = bits();
    cases.extend(opcodes("4.1", 3));
    cases.extend(opcodes("4.2", 11));
    cases
}

/// The first message may be echoed before the connection is failed; what follows is not answered.
fn fails_after(output: &[u8]) -> Expect {
    Expect::Failed { output: output.to_vec(), codes: vec![1002] }
}

fn bits() -> Vec<Case> {
    let reserved = |bits: u8, opcode: u8| frame(FIN | bits << 4 | opcode, HELLO);
    let after_hello = |bad: Vec<u8>| vec![frame(FIN | TEXT, HELLO), bad, frame(FIN | PING, b"")];
    let binary = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff";
    vec![
        Case::new("3.1", vec![reserved(1, TEXT)], fails_after(b"")),
        Case::new("3.2", after_hello(reserved(2, TEXT)), fails_after(HELLO)),
        Case {
            pieces: after_hello(reserved(3, TEXT)),
            ..Case::new("3.3", vec![], fails_after(HELLO))
        },
        Case::new("3.4", after_hello(reserved(4, TEXT)), fails_after(HELLO)).chopped(1),
        Case::new("3.5", vec![frame(FIN | 5 << 4 | BINARY, binary)], fails_after(b"")),
        Case::new("3.6", vec![reserved(6, PING)], fails_after(b"")),
        Case::new("3.7", vec![frame(FIN | 7 << 4 | CLOSE, b"")], fails_after(b"")),
    ]
}

fn opcodes(group: &str, first: u8) -> Vec<Case> {
    let case = |at: u8| {
        let payload = if at % 2 == 1 { HELLO } else { b"" };
        let bad = frame(FIN | (first + at), payload);
        let number = format!("{group}.{}", at + 1);
        if at < 2 {
            return Case::new(number, vec![bad], fails_after(b""));
        }
        let frames = vec![frame(FIN | TEXT, HELLO), bad, frame(FIN | PING, b"")];
        let case = Case::new(number, frames, fails_after(HELLO));
        if at == 4 { case.chopped(1) } else { case }
    };
    (0..5).map(case).collect()
}
