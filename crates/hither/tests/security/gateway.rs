//! A real gateway with a directory of its own, and as much HTTP as it takes to make sessions.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const HITHER: &str = env!("CARGO_BIN_EXE_hither");
/// Nothing takes as long; it turns a hang into a failure.
pub(crate) const HANG: Duration = Duration::from_secs(30);
/// What a session's program says when it echoes every byte.
pub(crate) const READY: &[u8] = b"ready";

/// A gateway; it and its sessions end with the test.
pub(crate) struct Gateway {
    child: Child,
    port: u16,
    /// What it said when it listened.
    pub(crate) greeting: String,
    dir: TempDir,
}

impl Gateway {
    /// One that lets everybody in.
    pub(crate) fn start() -> Self {
        Self::with(&["--no-auth"], &[])
    }

    /// One with these options and this in its environment.
    pub(crate) fn with(options: &[&str], environment: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = fs::File::create(dir.path().join("log")).unwrap();
        let mut child = Command::new(HITHER)
            .args(["serve", "--port", "0", "--runtime-dir"])
            .arg(dir.path().join("run"))
            .args(options)
            .env("XDG_CONFIG_HOME", dir.path().join("config"))
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut greeting = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
        let address = greeting.split("http://").nth(1).and_then(|rest| rest.split('/').next());
        let port = address.and_then(|address| address.rsplit(':').next()?.parse().ok());
        let port = port.unwrap_or_else(|| panic!("no port in {greeting:?}"));
        Self { child, port, greeting, dir }
    }

    /// A folder of the test, which is also that of the gateway's own folders.
    pub(crate) fn folder(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything that was logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder().join("log")).unwrap()
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(HANG)).unwrap();
        stream.set_write_timeout(Some(HANG)).unwrap();
        stream
    }

    /// Sends a request and reads the whole answer: its head, and what follows.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        self.ask_with(method, path, "", body)
    }

    /// The same with more header lines, each ended by CR LF.
    pub(crate) fn ask_with(
        &self,
        method: &str,
        path: &str,
        lines: &str,
        body: &str,
    ) -> (u16, String) {
        let mut stream = self.connect();
        let (host, len) = (self.host(), body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{lines}\
             content-type: application/json\r\ncontent-length: {len}\r\n\r\n{body}"
        );
        // A body over the limit is not read to its end.
        stream.write_all(request.as_bytes()).ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok();
        let answer = String::from_utf8(answer).unwrap();
        (status(&answer), answer)
    }

    /// A session whose program gives back every byte, after it has said [`READY`].
    pub(crate) fn echo_session(&self) -> String {
        self.session("stty raw -echo; printf ready; exec cat")
    }

    pub(crate) fn session(&self, script: &str) -> String {
        self.session_of(&["sh", "-c", script])
    }

    /// A session of a program, in the folder of the test.
    pub(crate) fn session_of(&self, command: &[&str]) -> String {
        let body = serde_json::json!({ "command": command, "cwd": self.folder() }).to_string();
        let (status, answer) = self.ask("POST", "/api/sessions", &body);
        assert_eq!(status, 201, "{answer}");
        let json = answer.split_once("\r\n\r\n").unwrap().1;
        let session: serde_json::Value = serde_json::from_str(json).unwrap();
        session["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn end_session(&self, id: &str) {
        let (status, answer) = self.ask("DELETE", &format!("/api/sessions/{id}"), "");
        assert!(status < 300, "{answer}");
    }

    pub(crate) fn is_running(&self, id: &str) -> bool {
        let (status, answer) = self.ask("GET", &format!("/api/sessions/{id}"), "");
        status == 200 && answer.contains(r#""status":"running""#)
    }

    /// Waits until a session's program has ended.
    pub(crate) fn finish(&self, id: &str) {
        let start = Instant::now();
        while self.is_running(id) {
            assert!(start.elapsed() < HANG, "session {id} goes on");
        }
    }

    /// Runs a script in a session to its end and answers what it printed into the file `out`.
    pub(crate) fn output_of(&self, script: &str) -> String {
        let id = self.session(&format!("{{ {script}\n}} >out 2>&1"));
        self.finish(&id);
        fs::read_to_string(self.folder().join("out")).unwrap()
    }

    /// Resident memory of the gateway in KiB (proc_pid_status(5)).
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Whether the gateway has its end of the connection from `port` open: proc_net_tcp(5) lists a
    /// socket that no process has any more with inode 0.
    pub(crate) fn holds(&self, port: u16) -> bool {
        let ends = (format!(":{:04X}", self.port), format!(":{port:04X}"));
        let table = fs::read_to_string("/proc/net/tcp").unwrap();
        table.lines().any(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            fields.len() > 9
                && fields[1].ends_with(&ends.0)
                && fields[2].ends_with(&ends.1)
                && fields[9] != "0"
        })
    }

    /// Processor time that the gateway has used, in ticks of 10 ms (proc_pid_stat(5)).
    pub(crate) fn cpu_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
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

/// The status of an HTTP answer, 0 if there is none.
pub(crate) fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}
