//! Logins by the hundred beside somebody who types: row A18.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::gateway::Gateway;
use crate::websocket::peer::{BINARY, Event, FIN, Peer, frame};

/// Memory of one hash in KiB, of which two are computed at a time.
const HASH_KIB: u64 = 19 << 10;
const GUESSERS: usize = 200;
/// Keys that are typed while the logins go on.
const KEYS: usize = 300;

/// Largest resident memory so far in KiB (proc_pid_status(5)).
fn most_resident_kib(gateway: &Gateway) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", gateway.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Waits for the echo of one key.
fn echo(typist: &mut Peer, key: u8) {
    typist.send(&frame(FIN | BINARY, &[key]));
    let event = typist.event();
    assert_eq!(event, Event::Output(vec![key]));
}

#[test]
fn a18_two_hundred_logins_take_the_memory_of_two_and_typing_goes_on() {
    let gateway = Gateway::with(&[], &[]);
    let token = fs::read_to_string(gateway.folder().join("run/token")).unwrap();
    let bearer = format!("authorization: Bearer {}\r\n", token.trim());
    let script = "stty raw -echo; printf ready; exec cat";
    let body = serde_json::json!({ "command": ["sh", "-c", script] }).to_string();
    let (status, answer) = gateway.ask_with("POST", "/api/sessions", &bearer, &body);
    assert_eq!(status, 201, "{answer}");
    let json = answer.split_once("\r\n\r\n").unwrap().1;
    let session: serde_json::Value = serde_json::from_str(json).unwrap();
    let target = format!("/ws?sessionId={}", session["id"].as_str().unwrap());
    let mut typist = Peer::open(&gateway, &target, &bearer);
    let mut seen = Vec::new();
    while !seen.ends_with(b"ready") {
        let event = typist.event();
        let Event::Output(bytes) = event else { panic!("{event:?}") };
        seen.extend(bytes);
    }
    echo(&mut typist, b'k');

    let before = gateway.resident_kib();
    let (over, hashed, refused) =
        (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for guesser in 0..GUESSERS {
            let (gateway, over, hashed, refused) = (&gateway, &over, &hashed, &refused);
            scope.spawn(move || {
                let origin = format!("origin: http://{}\r\n", gateway.host());
                let mut turn = 0;
                while !over.load(Ordering::Relaxed) {
                    // Names that nobody guessed at before are not slowed down by name.
                    let body =
                        format!(r#"{{"username":"u{guesser}-{turn}","password":"wrong horse"}}"#);
                    turn += 1;
                    let (status, answer) =
                        gateway.ask_with("POST", "/api/auth/login", &origin, &body);
                    match status {
                        401 => hashed.fetch_add(1, Ordering::Relaxed),
                        // Too many at a time: said at once, and nothing is hashed.
                        429 | 503 => refused.fetch_add(1, Ordering::Relaxed),
                        _ => panic!("{answer}"),
                    };
                }
            });
        }
        while hashed.load(Ordering::Relaxed) < 2 {
            echo(&mut typist, b'a');
        }
        for _ in 0..KEYS {
            echo(&mut typist, b'b');
        }
        over.store(true, Ordering::Relaxed);
    });
    echo(&mut typist, b'c');
    let grown = most_resident_kib(&gateway).saturating_sub(before);
    let (hashed, refused) = (hashed.into_inner(), refused.into_inner());
    assert!(grown <= 2 * HASH_KIB * 11 / 10, "{grown} KiB for {hashed} hashes, {refused} refused");
    assert!(refused > 0, "{hashed} hashes, and nobody was refused");
}
