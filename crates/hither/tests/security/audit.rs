//! The audit log of a real gateway: row A24.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::gateway::Gateway;

/// Runs `hither audit` with these words; its exit code and what it printed.
fn audit(gateway: &Gateway, words: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hither"))
        .arg("audit")
        .args(words)
        .arg("--runtime-dir")
        .arg(gateway.folder().join("run"))
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn log(gateway: &Gateway) -> impl AsRef<Path> {
    gateway.folder().join("run/state/audit.jsonl")
}

#[test]
fn a24_what_is_done_is_written_down_and_tampering_is_found() {
    let gateway = Gateway::start();
    let id = gateway.session("echo typed-canary; exec cat");
    gateway.end_session(&id);
    // What was done before it is answered is on the disk: ending a session is such a thing.
    let (code, list) = audit(&gateway, &["list"]);
    assert_eq!(code, Some(0), "{list}");
    for event in ["started", "session-created", "session-closed"] {
        assert!(list.contains(event), "{event} in {list}");
    }
    assert!(list.contains(&id) && !list.contains("typed-canary"), "{list}");
    let (code, told) = audit(&gateway, &["verify"]);
    assert!(code == Some(0) && told.contains("none changed"), "{told}");

    let whole = fs::read_to_string(log(&gateway)).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let last = lines.len() - 1;
    let edited = whole.replace("session-closed", "session-opened");
    let without_first = lines[1..].join("\n") + "\n";
    let without_last = lines[..last].join("\n") + "\n";
    let mut moved = lines;
    moved.swap(0, last);
    let moved = moved.join("\n") + "\n";
    for (what, tampered) in [
        ("edited", edited),
        ("removed", without_first),
        ("cut off", without_last),
        ("moved", moved),
    ] {
        fs::write(log(&gateway), tampered).unwrap();
        let (code, told) = audit(&gateway, &["verify"]);
        assert_eq!(code, Some(1), "{what}: {told}");
    }
    fs::write(log(&gateway), whole).unwrap();
    assert_eq!(audit(&gateway, &["verify"]).0, Some(0));
}
