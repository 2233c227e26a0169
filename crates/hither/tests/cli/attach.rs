//! `hither attach` and `hither top` in a real terminal: one of Hither's own sessions.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use crate::running::{Running, Viewer};

const HITHER: &str = env!("CARGO_BIN_EXE_hither");

/// A session that shows `inner`, and a viewer of it.
fn attached(gateway: &Running, inner: &str) -> (String, Viewer) {
    let dir = gateway.dir.to_str().unwrap();
    let command = format!("{HITHER} attach {inner} --runtime-dir {dir}; echo code-$?; read x");
    let outer = gateway.new_session(&["sh", "-c", &command]);
    let viewer = gateway.viewer(&outer);
    (outer, viewer)
}

#[test]
fn keys_reach_the_session_and_its_output_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start(&folder.path().join("run"), &[], &["cat"]);
    let inner = gateway.new_session(&["sh", "-c", "echo welcome; exec cat"]);
    let (_, mut viewer) = attached(&gateway, &inner[..8]);
    viewer.until(|viewer| viewer.text().contains("welcome"));
    viewer.type_input(b"over there\r");
    viewer.until(|viewer| viewer.text().matches("over there").count() == 2);
    // Ctrl-C is a key like others: it ends what runs there, not attach.
    viewer.type_input(b"\x03");
    viewer.until(|viewer| viewer.text().contains(&format!("{inner} has ended: signal SIGINT")));
    viewer.until(|viewer| viewer.text().contains("code-0"));
}

#[test]
fn one_key_leaves_and_the_session_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start(&folder.path().join("run"), &[], &["cat"]);
    let inner = gateway.new_session(&["sh", "-c", "echo welcome; exec cat"]);
    let (_, mut viewer) = attached(&gateway, &inner);
    viewer.until(|viewer| viewer.text().contains("welcome"));
    viewer.type_input(b"before\r");
    viewer.until(|viewer| viewer.text().matches("before").count() == 2);
    viewer.type_input(b"\x1c");
    viewer.until(|viewer| viewer.text().contains(&format!("left {inner}")));
    viewer.until(|viewer| viewer.text().contains("code-0"));
    let list = gateway.hither(&["ls", "--json"]).stdout;
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let session = list.as_array().unwrap().iter().find(|session| session["id"] == *inner).unwrap();
    assert_eq!((&session["status"], &session["clients"]), (&"running".into(), &0.into()));
}

#[test]
fn it_goes_on_when_the_gateway_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let gateway = Running::start(&dir, &[], &["cat"]);
    let inner = gateway.new_session(&["sh", "-c", "echo welcome; exec cat"]);
    let (outer, mut viewer) = attached(&gateway, &inner);
    viewer.until(|viewer| viewer.text().contains("welcome"));
    viewer.type_input(b"first\r");
    viewer.until(|viewer| viewer.text().matches("first").count() == 2);
    gateway.crash();
    let gateway = Running::start(&dir, &[], &["cat"]);
    let mut viewer = gateway.viewer(&outer);
    viewer.type_input(b"second\r");
    viewer.until(|viewer| viewer.text().matches("second").count() == 2);
}

#[test]
fn it_needs_a_terminal_and_a_session() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start(&folder.path().join("run"), &[], &["cat"]);
    let inner = gateway.new_session(&["cat"]);
    let run = gateway.hither(&["attach", &inner]);
    assert_eq!(run.code, 64, "{run:?}");
    assert!(run.stderr.contains("needs a terminal; without one, use `hither screen`"), "{run:?}");
    assert_eq!(gateway.hither(&["attach", "zzzz"]).code, 69);
    assert_eq!(gateway.hither(&["attach", &inner, "--detach-key", "Ctrl-1"]).code, 64);
}

#[test]
fn top_shows_who_types_and_gives_the_terminal_back() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start(&folder.path().join("run"), &[], &["cat"]);
    let inner = gateway.new_session(&["cat"]);
    let once = gateway.hither(&["top", "--once"]).stdout;
    assert!(once.starts_with("1 running, 0 ended, 0 viewers\n\nSESSION "), "{once}");
    assert!(once.contains(&inner) && !once.contains('\u{1b}'), "{once:?}");
    let mut typist = gateway.viewer(&inner);
    typist.type_input(b"abc\r");
    typist.until(|typist| typist.text().matches("abc").count() == 2);
    let dir = gateway.dir.to_str().unwrap();
    let command =
        format!("{HITHER} top --interval 100ms --runtime-dir {dir}; echo code-$?; read x");
    let mut viewer = gateway.viewer(&gateway.new_session(&["sh", "-c", &command]));
    viewer.until(|viewer| viewer.text().contains("2 running, 0 ended"));
    // Two lines of three letters, and the time of the echo.
    viewer.until(|viewer| {
        let text = viewer.text();
        let mut rows = text.split("\r\n").filter(|row| row.starts_with(&inner));
        rows.any(|row| row.contains(" 10B ") && row.contains("ms "))
    });
    viewer.type_input(b"\x03");
    viewer.until(|viewer| viewer.text().contains("\x1b[?25h\x1b[?1049l"));
}
