//! A viewer that reads more slowly than the program writes: waited for, or skipped, as was chosen.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use hither_core::SessionId;
use hither_protocol::websocket::{Control, Decoder, Limits, Opcode, Side, Step, append_frame};

use crate::place::Gateway;

/// Lines that the program writes: ten times what the history holds.
const LINES: u32 = 100_000;
/// Bytes that the viewer takes one by one before it reads as fast as it can.
const SLOW_BYTES: usize = 40_000;

/// Whether the viewer reads nothing for a while.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pause {
    None,
    UntilExit,
}

/// Everything that a viewer without acknowledgements (the plan's protocol) is sent.
fn read_slowly(gateway: &Gateway, id: SessionId, pause: Pause) -> Vec<u8> {
    let mut socket = gateway.websocket(&format!("sessionId={id}"), "");
    let mut go = Vec::new();
    append_frame(&mut go, Opcode::Text, &[b"go\n"], Some([0; 4]));
    socket.write_all(&go).unwrap();
    while pause == Pause::UntilExit && running(gateway, id) {
        std::thread::yield_now();
    }
    follow(&mut socket)
}

fn running(gateway: &Gateway, id: SessionId) -> bool {
    gateway.get(&format!("/api/sessions/{id}")).1["status"] == "running"
}

/// Reads to the close frame, and answers pings, which serve as acknowledgements.
fn follow(socket: &mut TcpStream) -> Vec<u8> {
    let limits = Limits { message_max: 1 << 20, fragments_max: 64 };
    let mut decoder = Decoder::new(Side::Client, limits);
    let (mut output, mut inbox, mut taken) = (Vec::new(), Vec::new(), 0);
    let mut chunk = vec![0; 64 << 10];
    loop {
        let want = if taken < SLOW_BYTES { 1 } else { chunk.len() };
        let len = socket.read(&mut chunk[..want]).unwrap();
        assert!(len > 0, "the end came without a close frame");
        taken += len;
        inbox.extend_from_slice(&chunk[..len]);
        loop {
            let consumed = match decoder.next(&mut inbox).unwrap() {
                Step::Need(_) => break,
                Step::Progress { consumed } => consumed,
                Step::Message { payload, consumed, .. } => {
                    output.extend_from_slice(payload);
                    consumed
                }
                Step::Control { control: Control::Ping(token), consumed } => {
                    let mut pong = Vec::new();
                    append_frame(&mut pong, Opcode::Pong, &[token], Some([0; 4]));
                    socket.write_all(&pong).unwrap();
                    consumed
                }
                Step::Control { control: Control::Close(_), .. } => return output,
                Step::Control { consumed, .. } => consumed,
            };
            inbox.drain(..consumed);
        }
    }
}

fn watch(policy: &str, pause: Pause) -> Vec<u8> {
    let args = ["--slow-viewer", policy, "--history-bytes", "64KiB"];
    let gateway = Gateway::start(&args);
    let id = gateway.session(&format!("stty -echo; read go; exec seq 1 {LINES}"));
    read_slowly(&gateway, id, pause)
}

#[test]
fn a_viewer_that_is_waited_for_misses_nothing() {
    let output = String::from_utf8(watch("wait", Pause::None)).unwrap();
    let mut lines = output.split("\r\n").skip_while(|line| *line != "1");
    for number in 1..=LINES {
        assert_eq!(lines.next().unwrap(), number.to_string());
    }
}

/// What shows that the test above can fail.
#[test]
fn a_viewer_that_is_skipped_misses_much_and_sees_the_end() {
    let output = String::from_utf8_lossy(&watch("skip", Pause::UntilExit)).into_owned();
    let last = LINES.to_string();
    assert!(output.contains(&last), "the end is missing");
    let lines = output.split("\r\n").filter(|line| line.parse::<u32>().is_ok()).count();
    assert!(lines < LINES as usize / 2, "{lines} lines");
}
