//! Users and tokens, while a gateway runs: the real program on both sides.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, Stdio};

use crate::place::{Place, Run};

/// A gateway, and the address that it listens on.
struct Gateway {
    child: Child,
    address: String,
}

impl Gateway {
    fn start(place: &Place) -> Self {
        let mut command = place.command(&["serve", "--port", "0", "--", "cat"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut greeting = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
        let address = greeting.trim().strip_prefix("Hither is at http://").unwrap();
        Self { child, address: address.split('/').next().unwrap().to_owned() }
    }

    /// Status and body of a request with a bearer token, or a body without one.
    fn ask(&self, line: &str, bearer: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let authorization = if bearer.is_empty() {
            String::new()
        } else {
            format!("authorization: Bearer {bearer}\r\n")
        };
        let request = format!(
            "{line} HTTP/1.1\r\nhost: {}\r\n{authorization}content-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    fn login(&self, name: &str, password: &str) -> u16 {
        let body = format!(r#"{{"username":"{name}","password":"{password}"}}"#);
        self.ask("POST /api/auth/login", "", &body).0
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn with_password(place: &Place, arguments: &[&str], password: &str) -> Run {
    let mut command = place.command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.arg("--password-stdin").spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}

#[test]
fn users_come_and_go_while_the_gateway_runs() {
    let place = Place::new();
    let gateway = Gateway::start(&place);
    assert_eq!(gateway.login("alice", "correct horse"), 401);
    let added = with_password(&place, &["user", "add", "alice"], "correct horse");
    assert_eq!((added.code, &*added.stdout), (0, "added alice (member)\n"), "{added:#?}");
    assert_eq!(gateway.login("alice", "correct horse"), 200);
    let again = with_password(&place, &["user", "add", "alice"], "correct horse");
    assert_eq!(again.code, 64);
    assert_eq!(again.stderr, "hither: there is a user alice already; choose another name\n");
    assert_eq!(place.run(&["user", "list"]).stdout, "NAME   KIND\nalice  member\n");
    let set = with_password(&place, &["user", "passwd", "alice"], "battery staple");
    assert_eq!(set.code, 0, "{set:#?}");
    assert_eq!(gateway.login("alice", "battery staple"), 200);
    assert_eq!(place.run(&["user", "remove", "alice"]).stdout, "removed alice\n");
    assert_eq!(gateway.login("alice", "battery staple"), 401);
}

#[test]
fn a_token_is_shown_once_and_good_until_it_is_revoked() {
    let place = Place::new();
    let gateway = Gateway::start(&place);
    let made = place.run(&["token", "create", "--scope", "session:read", "--name", "ci"]);
    assert_eq!((made.code, &*made.stderr), (0, ""), "{made:#?}");
    let token = made.stdout.trim();
    assert!(token.starts_with("hither_") && token.len() == 56, "{token}");
    assert_eq!(gateway.ask("GET /api/sessions", token, "").0, 200);
    let (status, body) = gateway.ask("POST /api/sessions", token, "{}");
    assert!(status == 403 && body.contains("session:create"), "{status} {body}");
    let list = place.run(&["token", "list"]).stdout;
    assert!(list.contains("1       ci") && list.contains("in 30d"), "{list}");
    assert!(!list.contains(&token[7..]), "{list}");
    assert_eq!(place.run(&["token", "revoke", "1"]).stdout, "revoked token 1\n");
    assert_eq!(gateway.ask("GET /api/sessions", token, "").0, 401);
    let gone = place.run(&["token", "revoke", "1"]);
    assert_eq!((gone.code, &*gone.stderr), {
        (64, "hither: there is no token 1; see `hither token list`\n")
    });
}

#[test]
fn what_cannot_be_is_refused_with_a_cure() {
    let place = Place::new();
    let short = with_password(&place, &["user", "add", "alice"], "short");
    assert_eq!((short.code, &*short.stderr), {
        (64, "hither: password must have at least 8 characters; choose another one\n")
    });
    for arguments in [
        &["user", "add", "Alice"][..],
        &["token", "create"],
        &["token", "create", "--scope", "everything"],
        &["token", "create", "--scope", "admin", "--expires", "5y"],
        &["token", "create", "--scope", "admin", "--expires", "400d"],
        &["token", "create", "--scope", "admin", "--user", "nobody"],
        &["user", "passwd", "nobody", "--password-stdin"],
        &["user", "remove", "nobody"],
    ] {
        let run = place.run(arguments);
        assert_eq!(run.code, 64, "{arguments:?} {run:#?}");
    }
    assert_eq!(
        place.run(&["user", "list"]).stdout,
        "no users; add one with `hither user add NAME`\n"
    );
}

#[test]
fn p15_the_store_is_the_user_s_alone_or_nothing_starts() {
    let place = Place::new();
    assert_eq!(place.run(&["user", "list"]).code, 0);
    let state = place.path().join("state");
    assert_eq!(std::fs::metadata(&state).unwrap().mode() & 0o777, 0o700);
    let database = state.join("hither.db");
    assert_eq!(std::fs::metadata(&database).unwrap().mode() & 0o777, 0o600);
    std::fs::set_permissions(&database, std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .unwrap();
    for arguments in [&["user", "list"][..], &["serve", "--port", "0"]] {
        let run = place.run(arguments);
        assert_eq!(run.code, 78, "{run:#?}");
        assert!(run.stderr.contains("0644") && run.stderr.contains("chmod go-rwx"), "{run:#?}");
    }
}
