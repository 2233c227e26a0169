//! A real gateway in a folder of its own, and the few requests that tests make.

use std::ffi::OsString;
use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::place::Place;

/// How to start gateways: the program, its folder, its options.
#[derive(Debug)]
pub struct Home {
    program: PathBuf,
    options: Vec<String>,
    variables: Vec<(String, String)>,
    folder: TempDir,
    place: Place,
}

/// A gateway that was started. Killed when dropped.
#[derive(Debug)]
pub struct Gateway {
    child: Child,
    place: Place,
    greeted: Option<std::thread::JoinHandle<Option<SocketAddr>>>,
    /// A tracer is in its process group, and may be left behind there.
    traced: bool,
}

/// How long a gateway may take to listen: far more than it does, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Tries to end what gateways have left behind.
const CLEARINGS: u32 = 10;

impl Home {
    /// A fresh folder for gateways that run `program`.
    ///
    /// # Errors
    /// When no folder can be made.
    pub fn new(program: impl Into<PathBuf>) -> io::Result<Self> {
        Ok(Self {
            program: program.into(),
            options: Vec::new(),
            variables: Vec::new(),
            folder: TempDir::with_prefix("hither-proof-")?,
            place: Place::default(),
        })
    }

    /// With more options for `hither serve`.
    #[must_use]
    pub fn options(mut self, options: &[&str]) -> Self {
        self.options.extend(options.iter().map(|&option| option.to_owned()));
        self
    }

    /// With an environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The folder, for files of the test too.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where its gateway can be found.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Starts a gateway without waiting for it.
    ///
    /// # Errors
    /// When the program cannot be run.
    pub fn spawn(&self) -> io::Result<Gateway> {
        self.spawn_through(&[])
    }

    /// Starts a gateway through another program, such as a tracer, which must become the gateway:
    /// its process id is the one that is killed.
    ///
    /// # Errors
    /// When the program cannot be run.
    ///
    /// # Panics
    /// Never: its standard output is a pipe.
    pub fn spawn_through(&self, before: &[String]) -> io::Result<Gateway> {
        let mut words: Vec<OsString> = before.iter().map(Into::into).collect();
        words.push(self.program.clone().into_os_string());
        let log = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.path().join("gateway.err"))?;
        let traced = !before.is_empty();
        let mut command = Command::new(&words[0]);
        if traced {
            command.process_group(0);
        }
        let mut child = command
            .args(&words[1..])
            .args(["serve", "--no-auth", "--port", "0", "--runtime-dir"])
            .arg(self.path().join("run"))
            .args(&self.options)
            .env("XDG_STATE_HOME", self.path().join("state"))
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            // Its memory and its descriptors are counted from outside.
            .env("HITHER_HARDENING", "off")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let out = child.stdout.take().expect("standard output is a pipe");
        let place = self.place.clone();
        let greeted = std::thread::spawn(move || {
            let address = read_address(&mut BufReader::new(out));
            if address.is_some() {
                place.set(address);
            }
            address
        });
        Ok(Gateway { child, place: self.place.clone(), greeted: Some(greeted), traced })
    }

    /// Starts a gateway and waits until it listens.
    ///
    /// # Errors
    /// When it cannot be run or ends before.
    pub fn start(&self) -> io::Result<Gateway> {
        let mut gateway = self.spawn()?;
        gateway.listening().map_err(|error| {
            let log = std::fs::read_to_string(self.path().join("gateway.err"));
            io::Error::other(format!("{error}; it said: {}", log.unwrap_or_default()))
        })?;
        Ok(gateway)
    }

    /// What its gateways said about panics, on standard error.
    #[must_use]
    pub fn panics(&self) -> Option<String> {
        let log = std::fs::read_to_string(self.path().join("gateway.err")).ok()?;
        let at = log.find("panicked at")?;
        Some(log[at..].lines().take(3).collect::<Vec<_>>().join(" "))
    }

    /// Ends all sessions, and with them the PTY host. One that has not ended its sessions after a few
    /// tries, on a machine that is too busy, is killed, and its sessions lose their terminals.
    pub fn clear(&self) {
        let run = self.path().join("run");
        for _ in 0..CLEARINGS {
            let mut kill = Command::new(&self.program);
            kill.args(["kill", "--all", "--runtime-dir"]).arg(&run);
            let ended = kill.stdout(Stdio::null()).stderr(Stdio::null()).status();
            let left = crate::process::find(&run.display().to_string()).unwrap_or_default();
            if left.is_empty() || ended.is_ok_and(|status| status.success()) {
                return;
            }
        }
        for pid in crate::process::find(&run.display().to_string()).unwrap_or_default() {
            kill_process(pid, Signal::KILL).ok();
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Gateway {
    /// Waits until it listens.
    ///
    /// # Errors
    /// When it ends without having listened.
    pub fn listening(&mut self) -> io::Result<SocketAddr> {
        if let Some(greeted) = self.greeted.take() {
            let address = greeted.join().ok().flatten();
            address.ok_or_else(|| io::Error::other("the gateway ended before it listened"))
        } else {
            self.place.address().ok_or_else(|| io::Error::other("the gateway is gone"))
        }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When it is gone already.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process(self.pid(), signal)?)
    }

    /// Kills it and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill(mut self) -> io::Result<ExitStatus> {
        self.child.kill()?;
        self.wait()
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait()?;
        self.place.set(None);
        if self.traced {
            // A tracer whose program dies before it is traced stops for ever, with the program's
            // standard output in its hands.
            kill_process_group(self.pid(), Signal::KILL).ok();
        }
        if let Some(greeted) = self.greeted.take() {
            // It may have greeted just before it ended.
            drop(greeted.join());
            self.place.set(None);
        }
        Ok(status)
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn is_running(&mut self) -> io::Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Starts a session and gives its id.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub fn create(&self, command: &[String]) -> io::Result<String> {
        let (status, body) = self.request("POST", "/api/sessions", &json!({"command": command}))?;
        let id = body["id"].as_str().filter(|_| status == 201);
        id.map(str::to_owned).ok_or_else(|| io::Error::other(format!("{status}: {body}")))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the gateway cannot be asked.
    pub fn delete(&self, session: &str) -> io::Result<u16> {
        self.request("DELETE", &format!("/api/sessions/{session}"), &Value::Null)
            .map(|(status, _)| status)
    }

    /// Asks for something; gives status and body.
    ///
    /// # Errors
    /// When the gateway cannot be reached or does not answer in HTTP.
    pub fn request(&self, method: &str, path: &str, body: &Value) -> io::Result<(u16, Value)> {
        let address = self.place.address();
        let address = address.ok_or_else(|| io::Error::other("no gateway listens"))?;
        request(address, method, path, body)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

/// Asks for something on a connection of its own; gives status and body (null when it is not JSON).
///
/// # Errors
/// When the server cannot be reached or does not answer in HTTP.
pub fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    body: &Value,
) -> io::Result<(u16, Value)> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("not HTTP: {head:?}")))?;
    Ok((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}

fn read_address(out: &mut impl io::BufRead) -> Option<SocketAddr> {
    let mut line = String::new();
    out.read_line(&mut line).ok()?;
    let (_, rest) = line.split_once("http://")?;
    let address = rest.split(['/', ' ', '\n', '#']).next()?;
    address.parse().ok()
}
