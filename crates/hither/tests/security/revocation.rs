//! Rights that end while a connection is open, on a real gateway with real sessions: rows A13, A22.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::websocket::peer::{BINARY, Event, FIN, Peer, frame};

/// A program that never stops talking, so that output after the end would be seen.
const TALKS: &str = "while :; do echo tick; sleep 0.01; done";
/// A program that gives back every byte.
const ECHOES: &str = "stty raw -echo; printf ready; exec cat";
const UNAUTHENTICATED: Option<u16> = Some(4401);
const FORBIDDEN: Option<u16> = Some(4403);

/// A gateway that wants to know who comes, and its administrator's token.
struct Stage {
    gateway: Gateway,
    admin: String,
}

impl Stage {
    fn start() -> Self {
        let mut stage = Self { gateway: Gateway::with(&[], &[]), admin: String::new() };
        stage.admin = stage.token(&["--scope", "admin"]);
        stage
    }

    /// Runs the program beside the gateway, with a line on its input.
    fn hither(&self, words: &[&str], line: &str) -> String {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hither"))
            .args(words)
            .arg("--runtime-dir")
            .arg(self.gateway.folder().join("run"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        // A program that asks for nothing may have ended already.
        child.stdin.take().unwrap().write_all(line.as_bytes()).ok();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{words:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn token(&self, words: &[&str]) -> String {
        let all = [&["token", "create"], words].concat();
        self.hither(&all, "").trim().to_owned()
    }

    fn ask(&self, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let lines = format!("authorization: Bearer {token}\r\n");
        let (status, answer) = self.gateway.ask_with(method, path, &lines, &body.to_string());
        let json = answer.split_once("\r\n\r\n").unwrap().1;
        (status, serde_json::from_str(json).unwrap_or(Value::Null))
    }

    fn session(&self, token: &str, script: &str) -> String {
        let body = json!({ "command": ["sh", "-c", script], "cwd": self.gateway.folder() });
        let (status, session) = self.ask(token, "POST", "/api/sessions", &body);
        assert_eq!(status, 201, "{session}");
        text(&session["id"])
    }

    /// Attaches with a token, and waits until something was said.
    fn attach(&self, token: &str, session: &str) -> Peer {
        let lines = format!("authorization: Bearer {token}\r\n");
        let target = format!("/ws?sessionId={session}");
        let mut peer = Peer::open(&self.gateway, &target, &lines);
        assert!(matches!(peer.event(), Event::Output(_)));
        peer
    }

    /// Makes a share link and answers its number and its secret.
    fn share(&self, session: &str, body: &Value) -> (u64, String) {
        let path = format!("/api/sessions/{session}/shares");
        let (status, share) = self.ask(&self.admin, "POST", &path, body);
        assert_eq!(status, 201, "{share}");
        (share["id"].as_u64().unwrap(), text(&share["secret"]))
    }

    /// Attaches by a share link as the page does, and waits for the answer to the hello.
    fn watch(&self, session: &str, secret: &str) -> Peer {
        let host = self.gateway.host();
        let origin = format!("origin: http://{host}\r\n");
        let body = json!({ "secret": secret }).to_string();
        let (status, answer) = self.gateway.ask_with("POST", "/api/share", &origin, &body);
        assert_eq!(status, 200, "{answer}");
        let answer: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        let ticket = text(&answer["ticket"]);
        let lines =
            format!("{origin}sec-websocket-protocol: hither.v1, hither.ticket.{ticket}\r\n");
        let mut peer = Peer::open(&self.gateway, &format!("/ws?session={session}"), &lines);
        send(&mut peer, 0x01, br#"{"client":"0123456789abcdef"}"#);
        wait_for(&mut peer, "the welcome", |message| message[0] == 0x81);
        peer
    }

    /// The number of the only viewer.
    fn viewer(&self, session: &str) -> u64 {
        let path = format!("/api/sessions/{session}/viewers");
        let (status, viewers) = self.ask(&self.admin, "GET", &path, &Value::Null);
        assert_eq!(status, 200, "{viewers}");
        viewers[0]["viewer"].as_u64().unwrap()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn send(peer: &mut Peer, kind: u8, body: &[u8]) {
    peer.send(&frame(FIN | BINARY, &[&[kind], body].concat()));
}

fn type_input(peer: &mut Peer, number: u64, input: &[u8]) {
    send(peer, 0x02, &[&number.to_be_bytes(), input].concat());
}

/// Reads frames up to one that is `wanted`, and answers the output on the way.
fn wait_for(peer: &mut Peer, what: &str, wanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut output = Vec::new();
    loop {
        let event = peer.event();
        let Event::Output(message) = event else {
            panic!("{event:?} before {what}");
        };
        if message[0] == 0x82 {
            output.extend_from_slice(&message[9..]);
        }
        if wanted(&message) {
            return output;
        }
    }
}

fn ends_with(what: &[u8]) -> impl Fn(&[u8]) -> bool {
    move |message| message[0] == 0x82 && message.ends_with(what)
}

/// The close frame is the last thing that comes: `rest` fails when anything follows it.
fn assert_closed(mut peer: Peer, code: Option<u16>) {
    assert_eq!(peer.rest().pop(), Some(Event::Closed(code)));
}

#[test]
fn a13_a_revoked_token_ends_its_connections() {
    let stage = Stage::start();
    let id = stage.session(&stage.admin, TALKS);
    let token = stage.token(&["--scope", "session:read"]);
    let (gone, stays) = (stage.attach(&token, &id), stage.attach(&stage.admin, &id));
    stage.hither(&["token", "revoke", "2"], "");
    assert_closed(gone, UNAUTHENTICATED);
    // Others do not notice.
    let mut stays = stays;
    assert!(matches!(stays.event(), Event::Output(_)));
}

#[test]
fn a13_a_removed_user_ends_with_all_connections() {
    let stage = Stage::start();
    stage.hither(&["user", "add", "bob", "--password-stdin"], "correct horse\n");
    let scopes = "session:create,session:read,session:write";
    let bob = stage.token(&["--scope", scopes, "--user", "bob"]);
    let id = stage.session(&bob, TALKS);
    let (first, second) = (stage.attach(&bob, &id), stage.attach(&bob, &id));
    stage.hither(&["user", "remove", "bob"], "");
    assert_closed(first, UNAUTHENTICATED);
    assert_closed(second, UNAUTHENTICATED);
}

#[test]
fn a22_a_withdrawn_share_link_ends_its_viewers() {
    let stage = Stage::start();
    let id = stage.session(&stage.admin, TALKS);
    let (number, secret) = stage.share(&id, &json!({}));
    let mut peer = stage.watch(&id, &secret);
    wait_for(&mut peer, "output", |message| message[0] == 0x82);
    let path = format!("/api/sessions/{id}/shares/{number}");
    assert_eq!(stage.ask(&stage.admin, "DELETE", &path, &Value::Null).0, 204);
    assert_closed(peer, UNAUTHENTICATED);
}

#[test]
fn a22_a_viewer_who_is_sent_away_is_closed() {
    let stage = Stage::start();
    let id = stage.session(&stage.admin, TALKS);
    let peer = stage.watch(&id, &stage.share(&id, &json!({})).1);
    let path = format!("/api/sessions/{id}/viewers/{}", stage.viewer(&id));
    assert_eq!(stage.ask(&stage.admin, "DELETE", &path, &Value::Null).0, 204);
    assert_closed(peer, FORBIDDEN);
}

#[test]
fn a22_a_watcher_who_types_is_closed_and_nothing_is_typed() {
    let stage = Stage::start();
    let id = stage.session(&stage.admin, ECHOES);
    let mut owner = stage.watch(&id, &stage.share(&id, &writer()).1);
    let mut peer = stage.watch(&id, &stage.share(&id, &json!({})).1);
    type_input(&mut peer, 1, b"by the watcher");
    assert_closed(peer, FORBIDDEN);
    type_input(&mut owner, 1, b"by the owner");
    let output = wait_for(&mut owner, "the echo", ends_with(b"by the owner"));
    assert!(!String::from_utf8_lossy(&output).contains("watcher"), "{output:?}");
}

#[test]
fn a13_a_lowered_level_takes_typing_away_at_once() {
    let stage = Stage::start();
    let id = stage.session(&stage.admin, ECHOES);
    let mut peer = stage.watch(&id, &stage.share(&id, &writer()).1);
    type_input(&mut peer, 1, b"before");
    wait_for(&mut peer, "the echo", ends_with(b"before"));
    let path = format!("/api/sessions/{id}/viewers/{}", stage.viewer(&id));
    let read = json!({ "level": "read" });
    assert!(stage.ask(&stage.admin, "PATCH", &path, &read).0 < 300);
    let is_role = |message: &[u8]| {
        message[0] == 0x88 && String::from_utf8_lossy(message).contains("observer")
    };
    wait_for(&mut peer, "the new role", is_role);
    // Dropped, as docs/protocol.md says in section 7: it may have been under way.
    type_input(&mut peer, 2, b"after");
    send(&mut peer, 0x05, &7_u64.to_be_bytes());
    wait_for(&mut peer, "pong", |message| message[0] == 0x89);
    let input = format!("/api/sessions/{id}/input");
    let typed = json!({ "data": "by the owner" });
    assert_eq!(stage.ask(&stage.admin, "POST", &input, &typed).0, 200);
    let output = wait_for(&mut peer, "the echo", ends_with(b"by the owner"));
    assert_eq!(String::from_utf8_lossy(&output), "by the owner");
}

/// A link for typing, for people without an account.
fn writer() -> Value {
    json!({ "level": "write", "needsLogin": false })
}
