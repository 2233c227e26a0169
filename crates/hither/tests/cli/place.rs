//! Runs the real program, and a gateway that says what a test wants it to say.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread::{self, JoinHandle};

use tempfile::TempDir;

/// A list with one session, and where that is in the API.
pub(crate) const LIST: &str = r#"[{"id":"aaaabbbbccccdddd","status":"running"}]"#;
pub(crate) const PATH: &str = "/api/sessions/aaaabbbbccccdddd";

/// What a command asks for behind the list, given this answer; its exit code and what it prints.
pub(crate) fn asks(arguments: &[&str], answer: (u16, &str)) -> (Asked, i32, String) {
    let place = Place::new();
    let gateway = place.gateway(&[(200, LIST), answer]);
    let run = place.run(arguments);
    let mut asked = gateway.asked();
    (asked.pop().unwrap(), run.code, run.stdout + &run.stderr)
}

/// What a run of the program left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A runtime directory of one test.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// A directory that others cannot enter.
    pub(crate) fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        place.set_mode(0o700);
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn set_mode(&self, mode: u32) {
        fs::set_permissions(self.path(), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path().join("gateway.sock")
    }

    /// The program with these arguments, in an environment that says nothing else.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hither"));
        command
            .args(arguments)
            .env_remove("HITHER_LOG")
            .env("HITHER_RUNTIME_DIR", self.path())
            .env("XDG_CONFIG_HOME", self.path())
            .env("SHELL", "/bin/sh");
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.command(arguments).output().unwrap().into()
    }

    /// Starts a gateway that gives these answers, status and body, one to each connection.
    pub(crate) fn gateway(&self, answers: &[(u16, &str)]) -> Gateway {
        let listener = UnixListener::bind(self.socket()).unwrap();
        let answers: Vec<_> =
            answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
        let thread = thread::spawn(move || {
            let serve =
                |(status, body): (u16, String)| serve(listener.accept().unwrap().0, status, &body);
            answers.into_iter().map(serve).collect()
        });
        Gateway { thread }
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A gateway of canned answers.
pub(crate) struct Gateway {
    thread: JoinHandle<Vec<Asked>>,
}

/// One request as the gateway saw it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Method and path.
    pub(crate) line: String,
    pub(crate) body: String,
}

impl Gateway {
    /// Waits until every answer has been fetched and tells what was asked.
    pub(crate) fn asked(self) -> Vec<Asked> {
        self.thread.join().unwrap()
    }
}

fn serve(stream: UnixStream, status: u16, body: &str) -> Asked {
    let mut reader = BufReader::new(stream);
    let asked = read_request(&mut reader);
    let head = format!("HTTP/1.1 {status} Word\r\ncontent-length: {}\r\n\r\n", body.len());
    let mut stream = reader.into_inner();
    stream.write_all(head.as_bytes()).unwrap();
    // The program may have seen enough before it has read all.
    stream.write_all(body.as_bytes()).ok();
    asked
}

/// Reads one request to the end of its body.
pub(crate) fn read_request(reader: &mut impl BufRead) -> Asked {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut body_bytes = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            body_bytes = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; body_bytes];
    reader.read_exact(&mut body).unwrap();
    Asked {
        line: line.trim_end().trim_end_matches(" HTTP/1.1").to_owned(),
        body: String::from_utf8(body).unwrap(),
    }
}
