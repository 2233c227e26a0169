//! Sessions that nobody waits for any more when the PTY host starts them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use hither_protocol::websocket::CloseCode;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use serde_json::json;

use crate::ends::wait_until;
use crate::place::{Gateway, PATIENCE, health};
use crate::ready::host;

/// Asks for a session and does not wait for the answer.
fn ask(gateway: &Gateway) -> TcpStream {
    let mut socket = TcpStream::connect(gateway.address).unwrap();
    let body = json!({ "command": ["sleep", "1000"], "cwd": "/" }).to_string();
    let request = format!(
        "POST /api/sessions HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        gateway.address,
        gateway.server().authorization().unwrap(),
        body.len()
    );
    socket.write_all(request.as_bytes()).unwrap();
    socket
}

/// Children of a process, as proc(5) lists them.
fn children(pid: Pid) -> usize {
    let pid = pid.as_raw_nonzero();
    let listed = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    listed.split_ascii_whitespace().count()
}

/// Whoever was told that there is no session, or has left, never ends the one that comes after all.
#[test]
fn a_session_that_comes_too_late_does_not_stay() {
    let gateway = Gateway::start(&[]);
    let host = host(&gateway);
    kill_process(host, Signal::STOP).unwrap();
    let gone = ask(&gateway);
    // Connections are served in the order in which they speak.
    assert_eq!(health(gateway.address).unwrap(), "HTTP/1.1 200 OK");
    drop(gone);
    // A client of ttyd, which gets a session of its own, and one of the API: both are told.
    let mut ttyd = gateway.websocket("", "sec-websocket-protocol: tty\r\n");
    let hello = br#"{"columns":80,"rows":24}"#;
    let head = [0x82, 0x80 | u8::try_from(hello.len()).unwrap(), 0, 0, 0, 0];
    ttyd.write_all(&[&head[..], hello].concat()).unwrap();
    let answer = gateway.post("/api/sessions", &json!({ "command": ["sleep", "1000"] }));
    assert_eq!((answer.0, &answer.1["code"]), (503, &"host_unavailable".into()), "{answer:?}");
    let mut close = [0; 4];
    ttyd.set_read_timeout(Some(PATIENCE)).unwrap();
    ttyd.read_exact(&mut close).unwrap();
    assert_eq!((close[0], &close[2..]), (0x88, &CloseCode::INTERNAL.number().to_be_bytes()[..]));
    kill_process(host, Signal::CONT).unwrap();
    // The host does what it is asked in order, so the others have come before this one.
    let kept = gateway.session("exec sleep 1000");
    let listed = gateway.get("/api/sessions").1;
    let ids: Vec<_> = listed.as_array().unwrap().iter().map(|one| one["id"].as_str()).collect();
    assert_eq!(ids, [Some(kept.to_string().as_str())], "{listed}");
    wait_until(|| children(host) == 1);
}

/// A gateway was killed with starts under way: nobody has heard of them, and nobody would end them.
#[test]
fn what_a_killed_gateway_had_asked_for_is_not_started() {
    let mut gateway = Gateway::start(&["--max-sessions", "20"]);
    let host = host(&gateway);
    let pidfd = pidfd_open(host, PidfdFlags::empty()).unwrap();
    kill_process(host, Signal::STOP).unwrap();
    let waiting: Vec<_> = (0..40).map(|_| ask(&gateway)).collect();
    // One is refused when as many are under way as may be; a turn later the host has been told.
    let mut answers: Vec<_> = waiting.iter().map(|one| PollFd::new(one, PollFlags::IN)).collect();
    let time = Timespec::try_from(PATIENCE).unwrap();
    assert!(poll(&mut answers, Some(&time)).unwrap() > 0, "nobody is refused");
    assert_eq!(health(gateway.address).unwrap(), "HTTP/1.1 200 OK");
    gateway.signal(Signal::KILL);
    gateway.wait();
    drop(waiting);
    kill_process(host, Signal::CONT).unwrap();
    // It ends with its last connection, unless it has a session.
    let mut ended = [PollFd::new(&pidfd, PollFlags::IN)];
    assert_eq!(poll(&mut ended, Some(&time)).unwrap(), 1, "the host has sessions");
}
