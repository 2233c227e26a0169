//! Sessions outlive the gateway, and can be listed and ended without one.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::place::Run;
use crate::running::Running;
use crate::sharing::with_input;

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

/// Waits until a program has written its last word into `fifo` and every descriptor of it is closed.
fn word_of(fifo: &std::path::Path) -> String {
    std::fs::read_to_string(fifo).unwrap()
}

/// Sessions end while no gateway runs: by themselves, by a signal, or by `hither kill`. The next gateway
/// has their last words, their exact status, their names, grants and links; and forgets what was
/// stored when they go.
#[test]
fn what_ended_without_a_gateway_is_right_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let (run, gate) = (folder.path().join("run"), folder.path().join("gate"));
    let ends = folder.path().join("ends");
    for fifo in [&gate, &ends] {
        rustix::fs::mkfifoat(rustix::fs::CWD, fifo, rustix::fs::Mode::RWXU).unwrap();
    }
    let gateway = Running::start(&run, &[], &["cat"]);
    let mut add = gateway.command(&["user", "add", "bob", "--password-stdin"]);
    let added: Run = with_input(&mut add, "correct horse\n");
    assert_eq!(added.code, 0, "{added:?}");
    // The shell's own child holds the other end open, so its end is that of the session's processes.
    let script = format!(
        "exec 9>{}; read word <{}; echo last words; exit 7",
        ends.display(),
        gate.display()
    );
    let exits = gateway.new_session(&["sh", "-c", &script]);
    let doomed = gateway.new_session(&["sh", "-c", "exec sleep 1000"]);
    let stays = gateway.new_session(&["cat"]);
    assert_eq!(gateway.hither(&["rename", &exits, "the build"]).code, 0);
    for id in [&exits, &doomed] {
        assert_eq!(gateway.hither(&["grant", id, "bob"]).code, 0);
    }
    let link = gateway.hither(&["share", &exits]).stdout;
    let secret = link.trim().rsplit('=').next().unwrap().to_owned();
    gateway.crash();

    // The fifo opens when both sides are there, and is read to its end when the shell is gone.
    let reader = std::thread::spawn(move || word_of(&ends));
    std::fs::write(&gate, "go\n").unwrap();
    assert_eq!(reader.join().unwrap(), "");
    let (killed, ended) = hither(&run, &["kill", &doomed]);
    assert!(killed && ended.contains(&doomed), "{ended}");

    let next = Running::start(&run, &[], &["cat"]);
    let waited = next.hither(&["wait", &exits, "--exit"]);
    assert_eq!(waited.code, 0, "{waited:?}");
    let session = |id: &str| -> Value {
        let list = next.hither(&["ls", "--json"]).stdout;
        let list: Value = serde_json::from_str(&list).unwrap();
        let found = list.as_array().unwrap().iter().find(|one| one["id"] == id);
        found.cloned().unwrap_or_default()
    };
    let row = session(&exits);
    assert_eq!((&row["title"], &row["status"]), (&"the build".into(), &"exited".into()), "{row}");
    assert_eq!((&row["exitCode"], &row["lost"]), (&7.into(), &Value::Null), "{row}");
    assert_eq!(session(&stays)["status"], "running");
    assert_eq!(session(&doomed), Value::Null);
    let screen = next.hither(&["screen", &exits]).stdout;
    assert!(screen.contains("last words"), "{screen}");
    assert!(next.hither(&["grant", &exits]).stdout.contains("bob"));
    let ask = format!(r#"{{"secret":"{secret}"}}"#);
    assert!(next.http("POST /api/share", &ask).starts_with("HTTP/1.1 200"));
    assert_eq!(next.hither(&["kill", &exits]).code, 0);
    assert!(next.http("POST /api/share", &ask).starts_with("HTTP/1.1 401"));
}
