//! Where the gateway listens, and whom it believes there.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;

use crate::running::Running;

/// Asks for `path` of a gateway's TCP port with more header lines, each ended by CR LF.
fn ask(address: (&str, u16), path: &str, lines: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let port = address.1;
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n{lines}\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

#[test]
fn both_kinds_of_unspecified_addresses_share_a_port() {
    if TcpListener::bind("[::1]:0").is_err() {
        eprintln!("skipped: this machine has no IPv6");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let waiver = "--insecure-plaintext=I-understand";
    for order in [["0.0.0.0", "::"], ["::", "0.0.0.0"]] {
        let options = ["--bind", order[0], "--bind", order[1], "--allow-root", waiver];
        let gateway = Running::start(&folder.path().join("run"), &options, &["cat"]);
        for address in ["127.0.0.1", "::1"] {
            assert_eq!(ask((address, gateway.port), "/health", "").0, 200, "{order:?} {address}");
        }
    }
}

/// Adds a user to the store of the gateway in `dir`.
fn add_user(gateway: &Running, name: &str) {
    let mut add = gateway.command(&["user", "add", name, "--password-stdin"]);
    add.arg("--runtime-dir").arg(&gateway.dir).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = add.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"correct horse\n").unwrap();
    assert!(child.wait().unwrap().success());
}

/// A gateway that believes the proxy at this address, which knows the user ann.
fn behind(proxy: &str, dir: &Path) -> Running {
    let options = ["--behind-proxy", proxy, "--identity-header", "X-Remote-User"];
    let gateway = Running::start(dir, &options, &["cat"]);
    add_user(&gateway, "ann");
    gateway
}

#[test]
fn a_trusted_proxy_names_the_user_and_nobody_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = behind("127.0.0.1", &folder.path().join("run"));
    let who = |gateway: &Running, lines: &str| {
        ask(("127.0.0.1", gateway.port), "/api/auth/current-user", lines)
    };
    let (status, answer) = who(&gateway, "x-remote-user: ann\r\n");
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains(r#""userId":"ann""#), "{answer}");
    assert!(answer.contains(r#""via":"proxy""#), "{answer}");
    for (lines, expect) in [
        ("", 401),
        ("x-remote-user: \r\n", 401),
        ("x-remote-user: bob\r\n", 401),
        // The proxy has added its word to the client's instead of replacing it.
        ("x-remote-user: ann\r\nx-remote-user: ann\r\n", 400),
        ("x-remote-user: ann\r\nsec-fetch-site: cross-site\r\n", 403),
    ] {
        let (status, answer) = who(&gateway, lines);
        assert_eq!(status, expect, "{lines:?} {answer}");
    }
    // From where no proxy is, the header is any client's.
    let gateway = behind("192.0.2.1", &folder.path().join("other"));
    let (status, answer) = who(&gateway, "x-remote-user: ann\r\n");
    assert_eq!(status, 401, "{answer}");
}

#[test]
fn what_a_proxy_s_user_starts_is_that_user_s() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = behind("127.0.0.1", &folder.path().join("run"));
    add_user(&gateway, "bob");
    // As with a cookie, a change must come from a page of the server itself.
    let refused = post(&gateway, "x-remote-user: ann");
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    let made = post(&gateway, "x-remote-user: ann\r\nsec-fetch-site: same-origin");
    assert!(made.starts_with("HTTP/1.1 201"), "{made}");
    let sessions = |name: &str| {
        let lines = format!("x-remote-user: {name}\r\n");
        ask(("127.0.0.1", gateway.port), "/api/sessions", &lines).1
    };
    let mine = sessions("ann");
    assert!(mine.contains(r#""status":"running""#), "{mine}");
    assert!(!sessions("bob").contains(r#""status":"running""#));
}

/// Asks for a new session with these header lines.
fn post(gateway: &Running, lines: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
    let body = r#"{"command":["cat"]}"#;
    let request = format!(
        "POST /api/sessions HTTP/1.1\r\nhost: localhost:{}\r\nconnection: close\r\n{lines}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        gateway.port,
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
