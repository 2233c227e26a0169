//! What the tests share: a directory, a host in it, and conversations with it.
#![allow(
    dead_code,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "helpers of tests; each test program uses some of them"
)]

use std::ffi::CString;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use hither_core::{SessionId, WindowSize};
use hither_host::message::{OnClose, SessionFds, SessionState, SpawnRequest};
use hither_host::{
    FromHost, HostConnection, Pid, RuntimeDir, Signal, Started, ToHost, start_detached,
};
use hither_pty::PidFd;
use rustix::event::{PollFd, PollFlags, poll};

pub const PROBE: &str = env!("CARGO_BIN_EXE_hither-host-probe");

/// Long enough for a machine that is busy; nothing is ever waited for that long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A message without descriptors.
pub type Plain = ToHost<OwnedFd>;

/// A directory of mode 0700 that is removed in the end.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hither-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::DirBuilder::new().mode(0o700).create(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn runtime(&self) -> RuntimeDir {
        RuntimeDir::open(&self.0).unwrap()
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// A detached host in a directory of its own; killed in the end, and its sessions with it.
pub struct Host {
    pub dir: TempDir,
    pub pid: Pid,
    pub pidfd: PidFd,
    /// Without sessions, the host ends with its last connection.
    kept: Mutex<Option<Client>>,
}

impl Host {
    pub fn start() -> Self {
        let dir = TempDir::new();
        let started = start_detached(Path::new(PROBE), ["host", path_str(&dir), "detached"]);
        assert_eq!(started.unwrap(), Started::Now);
        Self::find(dir)
    }

    /// The host that serves `dir`.
    pub fn find(dir: TempDir) -> Self {
        let connection = HostConnection::connect(&dir.runtime()).unwrap();
        let pid = connection.host_pid().unwrap();
        let pidfd = PidFd::open(pid).unwrap();
        let kept = Mutex::new(Some(Client(connection)));
        Self { dir, pid, pidfd, kept }
    }

    /// Lets the host end when it is not needed by others.
    pub fn leave(&self) {
        *self.kept.lock().unwrap() = None;
    }

    pub fn connect(&self) -> Client {
        Client(HostConnection::connect(&self.dir.runtime()).unwrap())
    }

    /// Connects and claims a host that has nothing to adopt.
    pub fn claim(&self) -> Client {
        let mut client = self.connect();
        assert!(client.claim().unwrap().is_empty());
        client
    }

    /// What a host holds without sessions: 0 to 2, its directory, lock, listener and event queue,
    /// two of its spawner, the signals of its children, and the kept connection; where sessions get
    /// cgroups of their own, also the one that those are made in.
    pub fn descriptors() -> usize {
        11 + usize::from(hither_host::probe_cgroups().is_ok())
    }

    /// Waits until the host holds so many descriptors. What has been closed may stay open for a
    /// moment in processes that other tests are just starting.
    pub fn expect_descriptors(&self, count: usize) {
        let mut kept = self.kept.lock().unwrap();
        let kept = kept.as_mut().unwrap();
        let deadline = Instant::now() + PATIENCE;
        while self.open_descriptors() != count {
            assert!(Instant::now() < deadline, "{} not {count}", self.open_descriptors());
            kept.list();
        }
    }

    pub fn open_descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid)).unwrap().count()
    }

    /// A file of /proc/PID of the host.
    pub fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.pid)).unwrap()
    }

    pub fn wait_for_end(&self) {
        wait_readable(&self.pidfd);
    }

    pub fn is_alive(&self) -> bool {
        !self.pidfd.has_ended().unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.pidfd.send_signal(Signal::KILL).ok();
    }
}

/// A session that the test holds.
pub struct Session {
    pub id: SessionId,
    pub pid: u32,
    pub fds: SessionFds,
}

/// A conversation with a host.
pub struct Client(pub HostConnection);

impl Client {
    pub fn send(&self, message: &Plain) {
        self.0.send(message).unwrap();
    }

    pub fn recv(&mut self) -> FromHost {
        self.0.recv(PATIENCE).unwrap()
    }

    /// Everything to adopt, or the process that holds the claim.
    pub fn claim(&mut self) -> Result<Vec<FromHost>, u32> {
        self.send(&Plain::Claim);
        let mut adopted = Vec::new();
        loop {
            match self.recv() {
                FromHost::ClaimRefused { pid } => return Err(pid),
                FromHost::AdoptEnd => return Ok(adopted),
                FromHost::Claimed | FromHost::Exited { .. } | FromHost::Closed { .. } => {}
                message => adopted.push(message),
            }
        }
    }

    /// Starts a session; what is told of others meanwhile is not kept.
    pub fn spawn(&mut self, spawn: SpawnRequest) -> Session {
        let (number, id) = (spawn.request, spawn.session);
        self.send(&Plain::Spawn(Box::new(spawn)));
        loop {
            match self.recv() {
                FromHost::Spawned { request, session, pid, fds } => {
                    assert_eq!((request, session), (number, id));
                    return Session { id, pid, fds };
                }
                FromHost::Exited { session, .. } if session != id => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub fn list(&mut self) -> Vec<SessionState> {
        self.send(&Plain::List);
        let mut sessions = Vec::new();
        loop {
            match self.recv() {
                FromHost::Listed(session) => sessions.push(session),
                FromHost::ListEnd => return sessions,
                FromHost::Exited { .. } | FromHost::Closed { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Waits until the host has closed this connection.
    pub fn wait_for_end(&mut self) {
        loop {
            match self.0.recv(PATIENCE) {
                Ok(_) => {}
                Err(hither_host::ClientError::Ended) => return,
                Err(other) => panic!("{other}"),
            }
        }
    }
}

/// The name that a number stands for.
pub fn session_id(number: u8) -> SessionId {
    SessionId::from_random([number; 10])
}

/// A request for a session of a program.
pub fn request(number: u8, argv: &[&str]) -> SpawnRequest {
    let strings = |texts: &[&str]| texts.iter().map(|text| CString::new(*text).unwrap()).collect();
    SpawnRequest {
        request: number.into(),
        session: session_id(number),
        program: CString::new(argv[0]).unwrap(),
        argv: strings(argv),
        env: strings(&[
            "PATH=/usr/bin:/bin",
            "ONLY=this one",
            &format!("HITHER_SESSION={}", session_id(number)),
        ]),
        cwd: c"/usr".into(),
        umask: 0o027,
        size: WindowSize::new(100, 30).unwrap(),
        memory_bytes: 8192,
        meta: format!("meta of {number}").into(),
        on_close: OnClose::Hup,
    }
}

/// A request for a session of a shell script.
pub fn script(number: u8, script: &str) -> SpawnRequest {
    request(number, &["/bin/sh", "-c", script])
}

pub fn wait_readable(fd: impl AsFd) {
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    let time = PATIENCE.try_into().unwrap();
    let ready = rustix::io::retry_on_intr(|| poll(&mut fds, Some(&time))).unwrap();
    assert_eq!(ready, 1, "nothing happened");
}

/// Output of a terminal up to and with `end`.
pub fn read_until(master: &OwnedFd, end: &str) -> String {
    let mut file = File::from(master.try_clone().unwrap());
    let mut output = String::new();
    let mut byte = [0];
    while !output.ends_with(end) {
        wait_readable(&file);
        match file.read(&mut byte) {
            Ok(_) => output.push(char::from(byte[0])),
            Err(error) => panic!("{error} after {output:?}"),
        }
    }
    output
}

/// Output of a terminal until nobody has it open any more.
pub fn read_to_end(master: &OwnedFd) -> String {
    let mut file = File::from(master.try_clone().unwrap());
    let mut output = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        wait_readable(&file);
        match file.read(&mut chunk) {
            Ok(len) => output.extend_from_slice(&chunk[..len]),
            Err(error) if error.raw_os_error() == Some(libc::EIO) => break,
            Err(error) => panic!("{error}"),
        }
    }
    String::from_utf8(output).unwrap().replace("\r\n", "\n")
}

/// The value of a line `name: value` of /proc/PID/status.
pub fn field<'a>(status: &'a str, name: &str) -> &'a str {
    let line = status.lines().find(|line| line.starts_with(name));
    line.unwrap_or_else(|| panic!("{name} in {status}"))[name.len() + 1..].trim()
}

pub fn path_str(dir: &TempDir) -> &str {
    dir.path().to_str().unwrap()
}

/// A process of the probe that holds, or was refused, the claim; with what it has said.
pub struct Claimant {
    pub process: std::process::Child,
    pub said: String,
}

impl Claimant {
    pub fn start(dir: &TempDir) -> Self {
        let mut process = Command::new(PROBE)
            .args(["claim", path_str(dir)])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let stdout = process.stdout.as_mut().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut said).unwrap();
        Self { process, said }
    }

    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A connection that has not said hello.
pub fn raw_connect(dir: &TempDir) -> OwnedFd {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
    let socket = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .unwrap();
    let address = SocketAddrUnix::new(dir.path().join("host.sock")).unwrap();
    rustix::net::connect(&socket, &address).unwrap();
    socket
}

/// A listener in the place of a host.
pub fn raw_listen(dir: &TempDir) -> OwnedFd {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).unwrap();
    let address = SocketAddrUnix::new(dir.path().join("host.sock")).unwrap();
    rustix::net::bind(&socket, &address).unwrap();
    rustix::net::listen(&socket, 1).unwrap();
    socket
}
