//! A gateway in a folder of its own, and what one asks of it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hither_client::{Address, Server};
use hither_core::SessionId;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

pub(crate) const HITHER: &str = env!("CARGO_BIN_EXE_hither");
/// Nothing in these tests takes this long unless it never comes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A gateway; killed with its sessions when a test ends early.
pub(crate) struct Gateway {
    pub(crate) folder: tempfile::TempDir,
    child: Child,
    out: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
    /// The one-time secret of the address that it printed.
    pub(crate) secret: String,
}

impl Gateway {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_as(Path::new(HITHER), args)
    }

    pub(crate) fn start_as(program: &Path, args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command.args(["serve", "--port", "0", "--runtime-dir"]).arg(folder.path().join("run"));
        Self::spawn(folder, command.args(args))
    }

    /// Starts `command`, which must lead to a gateway in `run` in `folder`.
    pub(crate) fn spawn(folder: tempfile::TempDir, command: &mut Command) -> Self {
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut child = command
            .env_remove("HITHER_LOG")
            .env("XDG_STATE_HOME", folder.path().join("state"))
            .env("XDG_CONFIG_HOME", folder.path().join("config"))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        out.read_line(&mut greeting).unwrap();
        let url = greeting.trim().strip_prefix("Hither is at http://").unwrap_or_else(|| {
            let log = std::fs::read_to_string(folder.path().join("log"));
            panic!("no greeting but {greeting:?}; log: {log:?}")
        });
        let (address, secret) = url.split_once('/').unwrap();
        let address = address.parse().unwrap();
        let secret = secret.strip_prefix("#t=").unwrap_or_default().to_owned();
        Self { folder, child, out, address, secret }
    }

    pub(crate) fn run_dir(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    /// A new fifo.
    pub(crate) fn fifo(&self) -> PathBuf {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("fifo-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let path = self.folder.path().join(name);
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
        path
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits for the end; its exit code and what it printed last.
    pub(crate) fn wait(&mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }

    pub(crate) fn hither(&self, args: &[&str]) -> Output {
        Command::new(HITHER).args(args).arg("--runtime-dir").arg(self.run_dir()).output().unwrap()
    }

    /// Starts a session that runs `script`.
    pub(crate) fn session(&self, script: &str) -> SessionId {
        let body = serde_json::json!({ "command": ["/bin/sh", "-c", script], "cwd": "/" });
        let created = self.post("/api/sessions", &body);
        assert_eq!(created.0, 201, "{created:?}");
        created.1["id"].as_str().unwrap().parse().unwrap()
    }

    /// Value of a metric, by its name and labels; 0 when the page does not have it.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let mut socket = UnixStream::connect(self.run_dir().join("metrics.sock")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        socket.write_all(request).unwrap();
        let mut page = String::new();
        socket.read_to_string(&mut page).unwrap();
        let lines = page.lines().filter_map(|line| line.rsplit_once(' '));
        let value = lines.filter(|(found, _)| *found == name).map(|(_, value)| value).next();
        value.map_or(0, |value| value.parse().unwrap())
    }

    /// How often a limit was hit, by its name in the metrics.
    pub(crate) fn hits(&self, limit: &str) -> u64 {
        self.metric(&format!("hither_limit_hits_total{{limit=\"{limit}\"}}"))
    }

    /// Number of the process that leads a session that this gateway has started, from its log.
    pub(crate) fn leader(&self, id: &str) -> u32 {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        let line = log.lines().find(|line| line.contains("session started") && line.contains(id));
        line.unwrap().split("pid=").nth(1).unwrap().trim().parse().unwrap()
    }

    pub(crate) fn server(&self) -> Server {
        let token = std::fs::read_to_string(self.run_dir().join("token")).unwrap();
        let address = Address::Tcp(self.address.ip().to_string(), self.address.port());
        Server::new(address).authorized(format!("Bearer {}", token.trim()))
    }

    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        self.request("GET", path, "")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.request("POST", path, &body.to_string())
    }

    pub(crate) fn delete(&self, path: &str) -> (u16, Value) {
        self.request("DELETE", path, "")
    }

    /// One request over TCP with the token of the folder; the whole answer.
    pub(crate) fn tcp(&self, method: &str, path: &str, body: &str) -> String {
        let mut socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nauthorization: {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            self.server().authorization().unwrap(),
            body.len()
        );
        socket.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    /// A request that never ends: it holds a gateway that leaves for as long as that may drain.
    pub(crate) fn hold_up(&self) -> TcpStream {
        let mut slow = TcpStream::connect(self.address).unwrap();
        let head = format!(
            "POST /api/auth/login HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             content-length: 100\r\n\r\n{{",
            self.address
        );
        slow.write_all(head.as_bytes()).unwrap();
        // Connections are accepted in their order.
        assert_eq!(health(self.address).unwrap(), "HTTP/1.1 200 OK");
        slow
    }

    /// A WebSocket over TCP; `more` are further lines of the request's head, each with its end.
    pub(crate) fn websocket(&self, query: &str, more: &str) -> TcpStream {
        let mut socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!(
            "GET /ws?{query} HTTP/1.1\r\nhost: {}\r\nupgrade: websocket\r\n\
             connection: upgrade\r\nsec-websocket-version: 13\r\n{more}\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nauthorization: {}\r\n\r\n",
            self.address,
            self.server().authorization().unwrap()
        );
        socket.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            socket.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
        socket
    }

    /// One request over the Unix socket.
    fn request(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut socket = UnixStream::connect(self.run_dir().join("gateway.sock")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        read_answer(&answer)
    }
}

/// Status and body of an answer.
pub(crate) fn read_answer(answer: &str) -> (u16, Value) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no answer but {answer:?}"));
    (status, serde_json::from_str(body).unwrap_or_default())
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        self.hither(&["kill", "--all"]);
    }
}

/// `GET /health` on a connection of its own: the status line.
pub(crate) fn health(address: SocketAddr) -> std::io::Result<String> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let request = format!("GET /health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}
