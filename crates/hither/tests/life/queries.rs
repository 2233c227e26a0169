//! Queries to the terminal are answered once, and looking at a session types nothing (row X03).

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use hither_client::{Attachment, Connection, Event, Wish};
use hither_core::{ClientId, Role, SessionId};
use hither_protocol::hither::Features;
use serde_json::json;

use crate::place::Gateway;

/// What programs ask a terminal, as printf(1) writes it.
const QUERIES: &[&str] = &[
    r"\033[c",            // DA1
    r"\033[>c",           // DA2
    r"\033[=c",           // DA3
    r"\033[5n",           // DSR: status
    r"\033[6n",           // DSR: cursor
    r"\033[?6n",          // DECXCPR
    r"\033[?996n",        // colour scheme
    r"\033[?25$p",        // DECRQM, private
    r"\033[4$p",          // DECRQM
    r"\033[21t",          // title report
    r"\033[18t",          // size in cells
    r"\033[14t",          // size in pixels
    r"\033[x",            // DECREQTPARM
    r"\033P$qm\033\\",    // DECRQSS
    r"\033P+q544e\033\\", // XTGETTCAP
    r"\033]4;1;?\007",    // palette
    r"\033]10;?\007",     // foreground
    r"\033]11;?\007",     // background
    r"\033]12;?\007",     // cursor
    r"\033]52;c;?\007",   // clipboard
    r"\033]60\007",       // allowed features
    r"\033[?u",           // kitty keyboard
    r"\033[>q",           // XTVERSION
    r"\005",              // ENQ
];

/// Looks at the session until its snapshot, and what follows, has been seen.
fn look(gateway: &Gateway, id: SessionId, client: u64, features: Features) {
    let wish = Wish { role: Role::Operator, features, size: None, from: None };
    let mut attachment = Attachment::new(ClientId(client), wish);
    let server = gateway.server();
    let mut connection = server.connect(id, ClientId(client), &mut attachment).unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("asked") {
        let progress = connection.receive(&mut attachment, |event| match event {
            Event::Output(bytes) | Event::Snapshot(_, bytes) => seen.extend_from_slice(bytes),
            _ => {}
        });
        progress.unwrap();
    }
}

#[test]
fn each_query_is_answered_once_and_a_look_types_nothing() {
    let gateway = Gateway::start(&[]);
    let typed = gateway.folder.path().join("typed");
    // The title holds what an attacker would like to see typed.
    let script = format!(
        "stty raw -echo; printf '\\033]0;rm -rf evil\\007{}asked'; exec cat >{}",
        QUERIES.concat(),
        typed.display()
    );
    let id = gateway.session(&script);
    let path = format!("/api/sessions/{id}/input");
    let end = |mark: &str| {
        assert_eq!(gateway.post(&path, &json!({ "data": mark })).0, 200);
        loop {
            let text = fs::read_to_string(&typed).unwrap_or_default();
            if let Some(text) = text.strip_suffix(mark) {
                return text.to_owned();
            }
            std::thread::yield_now();
        }
    };
    look(&gateway, id, 1, Features::none());
    let replies = end("<one>");
    // Nobody who watches is asked, so all come from the server, in order and once each.
    for (query, reply) in [
        ("DA1", "\x1b[?"),
        ("DSR: status", "\x1b[0n"),
        ("palette", "\x1b]4;1;rgb:"),
        ("foreground", "\x1b]10;rgb:"),
        ("background", "\x1b]11;rgb:"),
    ] {
        let count = replies.matches(reply).count();
        let expect = if query == "DA1" { count.max(1) } else { 1 };
        assert_eq!(count, expect, "{query} in {replies:?}");
    }
    for attacker in ["evil", "rm -rf"] {
        assert!(!replies.contains(attacker), "{replies:?}");
    }
    for client in 2..7 {
        let features = if client % 2 == 0 { Features::none() } else { Features::RAW };
        look(&gateway, id, client, features);
    }
    assert_eq!(end("<two>"), format!("{replies}<one>"));
    // A gateway that comes anew replays everything, and answers nothing again.
    let upgraded = gateway.hither(&["upgrade"]);
    assert!(upgraded.status.success(), "{upgraded:?}");
    look(&gateway, id, 7, Features::none());
    assert_eq!(end("<three>"), format!("{replies}<one><two>"));
}

/// What a terminal answers by itself, each in a message of its own.
const ANSWERS: [&[u8]; 7] = [
    b"\x1b[?1;2c",
    b"\x1b[>41;0;0c",
    b"\x1b[0n",
    b"\x1b[5;5R",
    b"\x1bP1$r0m\x1b\\",
    b"\x1b]4;1;rgb:cc/00/00\x1b\\",
    b"\x1b]10;rgb:ff/ff/ff\x07",
];

#[test]
fn x03_one_operator_and_five_observers_give_one_answer() {
    let gateway = Gateway::start(&[]);
    let typed = gateway.folder.path().join("typed");
    let script = format!(
        "stty raw -echo; printf ready; head -c 2 >/dev/null; \
         printf '\\033]0;rm -rf evil\\007{}asked'; exec cat >{}",
        QUERIES.concat(),
        typed.display()
    );
    let id = gateway.session(&script);
    let server = gateway.server();
    let mut observers: Vec<_> = (1..=5)
        .map(|number| {
            let features = Features::none();
            let wish = Wish { role: Role::Observer, features, size: None, from: None };
            let mut attachment = Attachment::new(ClientId(number), wish);
            let connection = server.connect(id, ClientId(number), &mut attachment).unwrap();
            let mut viewer = (connection, attachment, String::new());
            see(&mut viewer, "ready");
            viewer
        })
        .collect();
    // The operator's program speaks another protocol, and does not know that it is not asked.
    let mut operator = gateway.websocket(&format!("sessionId={id}"), "");
    read_until(&mut operator, b"ready");
    let path = format!("/api/sessions/{id}/input");
    assert_eq!(gateway.post(&path, &json!({ "data": "go" })).0, 200);
    for observer in &mut observers {
        see(observer, "asked");
    }
    read_until(&mut operator, b"asked");
    for input in ANSWERS.iter().chain(&[&b"<end>"[..]]) {
        // A binary message under a mask of zeros.
        let len = u8::try_from(input.len()).unwrap();
        operator.write_all(&[&[0x82, 0x80 | len, 0, 0, 0, 0], *input].concat()).unwrap();
    }
    let replies = loop {
        let text = String::from_utf8(fs::read(&typed).unwrap_or_default()).unwrap();
        if let Some(text) = text.strip_suffix("<end>") {
            break text.to_owned();
        }
        std::thread::yield_now();
    };
    for reply in ["\x1b[?1;2c", "\x1b[0n", "\x1b]4;1;rgb:", "\x1b]10;rgb:", "\x1b]11;rgb:"] {
        assert!(replies.matches(reply).count() <= 1, "{reply:?} in {replies:?}");
    }
    assert!(replies.contains("\x1b[0n"), "{replies:?}");
    for attacker in ["evil", "rm -rf"] {
        assert!(!replies.contains(attacker), "{replies:?}");
    }
}

/// Reads what comes, whatever frames it comes in, up to these bytes.
fn read_until(socket: &mut TcpStream, words: &[u8]) {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(words) {
        socket.read_exact(&mut byte).unwrap();
        seen.push(byte[0]);
    }
}

/// Reads what a viewer is shown up to these words.
fn see((connection, attachment, seen): &mut (Connection, Attachment, String), words: &str) {
    while !seen.contains(words) {
        let progress = connection.receive(attachment, |event| match event {
            Event::Output(bytes) | Event::Snapshot(_, bytes) => {
                seen.push_str(&String::from_utf8_lossy(bytes));
            }
            _ => {}
        });
        progress.unwrap();
    }
}
