//! Queries to the terminal are answered once, and looking at a session types nothing (row X03).

use std::fs;

use hither_client::{Attachment, Event, Wish};
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
