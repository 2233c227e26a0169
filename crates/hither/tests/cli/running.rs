//! A real gateway for one test, and clients of it.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hither_client::{Address, Attachment, Connection, Event, Progress, Server, Wish};
use hither_core::{ClientId, Role, SessionId};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};

use crate::place::Run;

const HITHER: &str = env!("CARGO_BIN_EXE_hither");
/// A wait that ends at this time has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A gateway that listens; killed when the test ends.
pub(crate) struct Running {
    child: Child,
    pub(crate) dir: PathBuf,
    /// Its TCP port.
    pub(crate) port: u16,
    crashed: bool,
}

impl Running {
    /// Starts one in `dir` that serves `command`.
    pub(crate) fn start(dir: &Path, options: &[&str], command: &[&str]) -> Self {
        Self::with_environment(dir, options, command, &[])
    }

    /// The same, with these variables set.
    pub(crate) fn with_environment(
        dir: &Path,
        options: &[&str],
        command: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let mut child = Command::new(HITHER)
            .envs(environment.iter().copied())
            .args(["serve", "--log-level", "warn", "--runtime-dir"])
            .arg(dir)
            .args(options)
            .args(if options.contains(&"--port") { &[][..] } else { &["--port", "0"] })
            .arg("--")
            .args(command)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        out.read_line(&mut greeting).unwrap();
        let port = greeting.rsplit(':').next().and_then(|rest| rest.split('/').next());
        let port = port.and_then(|port| port.parse().ok());
        Self { child, dir: dir.to_owned(), port: port.expect(&greeting), crashed: false }
    }

    /// Runs the program against this gateway.
    pub(crate) fn hither(&self, args: &[&str]) -> Run {
        self.command(args).output().unwrap().into()
    }

    /// The program, to be run against this gateway.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(HITHER);
        command.args(args).env("HITHER_RUNTIME_DIR", &self.dir);
        command
    }

    /// Starts a session and answers its id.
    pub(crate) fn new_session(&self, command: &[&str]) -> String {
        let run = self.hither(&[&["new", "--"][..], command].concat());
        assert_eq!(run.code, 0, "{run:?}");
        run.stdout.trim().to_owned()
    }

    /// Ends the process at once, as a crash would. Its sessions live on.
    pub(crate) fn crash(mut self) {
        self.signal(Signal::KILL);
        self.child.wait().unwrap();
        self.crashed = true;
    }

    /// Sends a signal to the gateway's process.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The token for programs of the same user.
    pub(crate) fn token(&self) -> String {
        std::fs::read_to_string(self.dir.join("token")).unwrap().trim().to_owned()
    }

    /// One request over TCP: the head and the body of the answer.
    pub(crate) fn http(&self, request: &str, body: &str) -> String {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        ask(stream, request, &format!("127.0.0.1:{}", self.port), body)
    }

    /// The page of metrics.
    pub(crate) fn metrics(&self) -> String {
        let stream = UnixStream::connect(self.dir.join("metrics.sock")).unwrap();
        ask(stream, "GET /metrics", "localhost", "")
    }

    /// A viewer of a session.
    pub(crate) fn viewer(&self, session: &str) -> Viewer {
        let server = Server::new(Address::Unix(self.dir.join("gateway.sock")));
        Viewer::attach(server, session, Role::Operator)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.crashed {
            return;
        }
        if let Ok(None) = self.child.try_wait() {
            self.signal(Signal::KILL);
            self.child.wait().unwrap();
        }
        // Whatever lives on in the PTY host ends with the test.
        Command::new(HITHER)
            .args(["kill", "--all", "--runtime-dir"])
            .arg(&self.dir)
            .output()
            .unwrap();
    }
}

fn ask(
    mut stream: impl std::io::Read + std::io::Write,
    line: &str,
    host: &str,
    body: &str,
) -> String {
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The server may have seen enough before it has read all.
    stream.write_all(body.as_bytes()).ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok();
    String::from_utf8(answer).unwrap()
}

/// A viewer, driven by the test.
pub(crate) struct Viewer {
    server: Server,
    session: SessionId,
    attachment: Attachment,
    connection: Option<Connection>,
    /// Everything that was shown so far; a snapshot begins anew.
    pub(crate) seen: Vec<u8>,
    /// What else happened, in words.
    pub(crate) events: Vec<String>,
}

impl Viewer {
    /// Attaches and waits for the welcome.
    pub(crate) fn attach(server: Server, session: &str, role: Role) -> Self {
        let wish = Wish { role, features: hither_client::Features::none(), size: None, from: None };
        let client = ClientId(u64::from(std::process::id()) << 32 | 7);
        let mut viewer = Self {
            server,
            session: session.parse().unwrap(),
            attachment: Attachment::new(client, wish),
            connection: None,
            seen: Vec::new(),
            events: Vec::new(),
        };
        viewer.connect();
        viewer
    }

    /// Connects, or connects again and resumes.
    pub(crate) fn connect(&mut self) {
        let connection =
            self.server.connect(self.session, ClientId(7), &mut self.attachment).unwrap();
        connection.set_nonblocking(true).unwrap();
        self.connection = Some(connection);
        self.events.clear();
        self.until(|viewer| viewer.events.iter().any(|event| event.starts_with("attached")));
    }

    /// Drops the connection without a word.
    pub(crate) fn disconnect(&mut self) {
        self.connection = None;
    }

    pub(crate) fn type_input(&mut self, input: &[u8]) {
        let connection = self.connection.as_mut().unwrap();
        connection.type_input(&mut self.attachment, input).unwrap();
    }

    /// Receives until `done`, which is asked after each event and some times a second.
    pub(crate) fn until(&mut self, mut done: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !done(self) {
            assert!(start.elapsed() < PATIENCE, "{:?} {:?}", self.events, self.text());
            self.receive();
        }
    }

    /// Types and waits until that many more bytes have come.
    pub(crate) fn echo(&mut self, input: &[u8], bytes: usize) {
        let before = self.seen.len();
        self.type_input(input);
        self.until(|viewer| viewer.seen.len() >= before + bytes);
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    fn receive(&mut self) {
        let Self { attachment, connection, seen, events, .. } = self;
        let Some(connection) = connection else { return };
        let timeout = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
        poll(&mut [PollFd::new(connection, PollFlags::IN)], Some(&timeout)).unwrap();
        let progress = connection.receive(attachment, |event| match event {
            Event::Output(bytes) => seen.extend_from_slice(bytes),
            Event::Snapshot(_, bytes) => bytes.clone_into(seen),
            Event::Attached(attached) => events.push(format!("attached {}", attached.resumed)),
            other @ (Event::Gap(_)
            | Event::Settled(_)
            | Event::Size(..)
            | Event::Termios(_)
            | Event::Happened(_)
            | Event::Pong(_)
            | Event::Exit(_)
            | Event::Refused(_)
            | Event::Ignored) => events.push(format!("{other:?}")),
        });
        match progress {
            Ok(Progress::Closed(code)) => events.push(format!("closed {code:?}")),
            Ok(Progress::Read | Progress::NothingThere) => {}
            Err(error) => events.push(format!("failed {error}")),
        }
    }
}
