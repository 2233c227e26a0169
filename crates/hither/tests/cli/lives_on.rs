//! Sessions outlive the gateway, and can be listed and ended without one.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

const HITHER: &str = env!("CARGO_BIN_EXE_hither");

/// A gateway that listens; killed if a test ends early.
struct Gateway {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Gateway {
    fn start(dir: &std::path::Path) -> Self {
        let mut child = Command::new(HITHER)
            .args(["serve", "--port", "0", "--runtime-dir"])
            .arg(dir)
            .args(["--", "cat"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        out.read_line(&mut greeting).unwrap();
        assert!(greeting.starts_with("Hither is at http://127.0.0.1:"), "{greeting}");
        Self { child, out }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn farewell(mut self) -> String {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        assert!(self.child.wait().unwrap().success());
        rest
    }
}

fn hither(dir: &std::path::Path, args: &[&str]) -> (bool, String) {
    let output = Command::new(HITHER).args(args).arg("--runtime-dir").arg(dir).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[test]
fn sessions_are_listed_and_ended_without_a_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let gateway = Gateway::start(&dir);
    let (_, id) = hither(&dir, &["new"]);
    let id = id.trim();
    gateway.signal(Signal::TERM);
    let farewell = gateway.farewell();
    assert!(farewell.contains("1 session lives on"), "{farewell}");
    let (listed, list) = hither(&dir, &["ls"]);
    assert!(listed && list.contains(id) && list.contains("running"), "{list}");
    let (killed, ended) = hither(&dir, &["kill", "--all"]);
    assert!(killed && ended == format!("ended {id}\n"), "{ended}");
    let (listed, nothing) = hither(&dir, &["ls"]);
    assert!(!listed && nothing.contains("no gateway is running"), "{nothing}");
}

#[test]
fn the_next_gateway_finds_the_sessions_of_one_that_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let mut first = Gateway::start(&dir);
    let (_, id) = hither(&dir, &["new"]);
    first.signal(Signal::KILL);
    first.child.wait().unwrap();
    let second = Gateway::start(&dir);
    let (_, list) = hither(&dir, &["ls"]);
    assert!(list.contains(id.trim()) && list.contains("running"), "{list}");
    let (refused, told) = hither(&dir, &["serve", "--port", "0"]);
    assert!(!refused && told.contains("another gateway"), "{told}");
    let (killed, _) = hither(&dir, &["kill", "--all"]);
    assert!(killed);
    second.signal(Signal::INT);
    assert!(second.farewell().contains("no session lives on"));
}
