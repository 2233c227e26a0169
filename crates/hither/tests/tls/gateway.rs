//! A gateway with TLS and a directory of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::certificates::Authority;
use crate::client::{Client, Trust};

const HITHER: &str = env!("CARGO_BIN_EXE_hither");
/// Nothing takes as long; it turns a hang into a failure.
pub(crate) const HANG: Duration = Duration::from_secs(30);

/// A gateway that lets everybody in unless it is told otherwise; it and its sessions end with the
/// test.
pub(crate) struct Gateway {
    child: Child,
    port: u16,
    dir: TempDir,
    pub(crate) authority: Authority,
}

impl Gateway {
    pub(crate) fn start() -> Self {
        Self::with(&["--no-auth"], |_| {})
    }

    /// A gateway with more options; `prepare` puts the files there that they name.
    pub(crate) fn with(options: &[&str], prepare: impl FnOnce(&Path)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::new("the server's authority");
        authority.server().install(dir.path());
        prepare(dir.path());
        let mut child = Command::new(HITHER)
            .args(["serve", "--port", "0", "--tls-cert", "cert.pem", "--tls-key", "key.pem"])
            .args(options)
            .arg("--runtime-dir")
            .arg(dir.path().join("run"))
            .current_dir(dir.path())
            .env("XDG_STATE_HOME", dir.path().join("state"))
            .env("XDG_CONFIG_HOME", dir.path().join("config"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut greeting = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
        let port = greeting.split("https://127.0.0.1:").nth(1);
        let digits = port.unwrap_or_else(|| panic!("no address in {greeting:?}"));
        let port = digits.split('/').next().unwrap().parse().unwrap();
        Self { child, port, dir, authority }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// A connection without TLS yet.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(HANG)).unwrap();
        stream.set_write_timeout(Some(HANG)).unwrap();
        stream
    }

    /// A client for whom the kernel buffers little, so that the gateway has to hold the rest.
    pub(crate) fn narrow_client(&self) -> Client {
        let kind = (socket2::Domain::IPV4, socket2::Type::STREAM);
        let socket = socket2::Socket::new(kind.0, kind.1, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.set_tcp_mss(536).unwrap();
        socket.set_read_timeout(Some(HANG)).unwrap();
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], self.port));
        socket.connect(&address.into()).unwrap();
        Client::open(socket.into(), &Trust::of(&self.authority)).unwrap()
    }

    /// Descriptors that it has open.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// Value of a metric without labels.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let path = self.dir.path().join("run/metrics.sock");
        let mut socket = std::os::unix::net::UnixStream::connect(path).unwrap();
        socket.set_read_timeout(Some(HANG)).unwrap();
        let request = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        socket.write_all(request).unwrap();
        let mut page = String::new();
        socket.read_to_string(&mut page).unwrap();
        let mut lines = page.lines().filter_map(|line| line.rsplit_once(' '));
        let found = lines.find(|(found, _)| *found == name);
        found.unwrap_or_else(|| panic!("no {name}")).1.parse().unwrap()
    }

    /// A client that trusts the server's authority.
    pub(crate) fn client(&self) -> Client {
        Client::open(self.connect(), &Trust::of(&self.authority)).unwrap()
    }

    /// Sends a request on a connection of its own: status, and the whole answer.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        self.client().ask(&self.host(), method, path, body)
    }

    /// Starts a session and tells its id.
    pub(crate) fn session(&self, script: &str) -> String {
        self.create(&serde_json::json!({ "command": ["sh", "-c", script] }))
    }

    /// The same in a large window.
    pub(crate) fn wide_session(&self, script: &str) -> String {
        let command = ["sh", "-c", script];
        self.create(&serde_json::json!({ "command": command, "cols": 500, "rows": 200 }))
    }

    fn create(&self, body: &serde_json::Value) -> String {
        let (status, answer) = self.ask("POST", "/api/sessions", &body.to_string());
        assert_eq!(status, 201, "{answer}");
        let json = answer.split_once("\r\n\r\n").unwrap().1;
        let session: serde_json::Value = serde_json::from_str(json).unwrap();
        session["id"].as_str().unwrap().to_owned()
    }

    /// The key by which programs get in.
    pub(crate) fn token(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("run/token")).unwrap().trim().to_owned()
    }

    /// Runs another command of the program on this gateway's store.
    pub(crate) fn hither(&self, arguments: &[&str], input: &[u8]) {
        let mut command = Command::new(HITHER);
        command.args(arguments).arg("--runtime-dir").arg(self.dir.path().join("run"));
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        assert!(child.wait().unwrap().success(), "{arguments:?}");
    }

    /// Sends bytes without a handshake of TLS and no more, and reads until the gateway closes.
    pub(crate) fn say_raw(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        // A reset is an end too.
        stream.read_to_end(&mut answer).ok();
        answer
    }

    /// Whether it still serves.
    pub(crate) fn is_well(&self) -> bool {
        self.ask("GET", "/health", "").0 == 200
    }

    /// Processor time that the gateway has used, in ticks of 10 ms (proc_pid_stat(5)).
    pub(crate) fn cpu_ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
        fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        // The sessions outlive the gateway, but not the test.
        let run = self.dir.path().join("run");
        Command::new(HITHER).args(["kill", "--all", "--runtime-dir"]).arg(run).output().ok();
    }
}
