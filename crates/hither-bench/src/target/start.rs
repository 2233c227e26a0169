//! Starting each kind of server and saying how it is reached.

use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::certificate::Certificate;
use super::spec::{Guard, Hither, Url};
use super::{ServerProcess, Target, TargetKind};
use crate::child::Program;
use crate::engine::Dial;
use crate::floor::FloorMode;
use crate::link::{LinkProxy, LinkSpec};
use crate::pin::Pinning;
use crate::wire::{Attach, Protocol, Request};

/// What is the same for all servers of a run.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The binary under test: `PATH serve …`.
    pub(crate) hither: PathBuf,
    /// How this program is called to be a floor or a session program: itself and what comes before
    /// `floor` and `child`.
    pub(crate) own_command: Vec<String>,
    /// Value of the header `Authorization` for servers that run already.
    pub(crate) authorization: Option<String>,
    /// The link in front of every server.
    pub(crate) link: Option<LinkSpec>,
    /// Further options of every `hither serve`.
    pub(crate) options: Vec<String>,
    /// What stands in front of every server's command, as `valgrind` does.
    pub(crate) wrapper: Vec<String>,
    /// Where servers run.
    pub(crate) pinning: Pinning,
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Running {
    /// How it is reached.
    pub(crate) dial: Dial,
    /// Its process, when the bench has started it.
    pub(crate) process: Option<ServerProcess>,
    /// What has to be typed to start the program, when the server runs a shell.
    pub(crate) shell_line: Option<String>,
    /// The link in front of it.
    _link: Option<LinkProxy>,
}

impl Setup {
    /// Starts a server whose sessions run `program`.
    pub(crate) fn start(
        &self,
        target: &Target,
        program: Program,
        attach: Attach,
    ) -> io::Result<Running> {
        let mut running = self.start_server(target, program, attach)?;
        running.dial.attach = attach;
        Ok(running)
    }

    fn start_server(
        &self,
        target: &Target,
        program: Program,
        attach: Attach,
    ) -> io::Result<Running> {
        if let TargetKind::Url(protocol, url) = &target.kind {
            return self.reach(*protocol, url, program);
        }
        let argv = program.argv(&self.own_command);
        let port = free_port()?;
        let (command, address) = match &target.kind {
            TargetKind::Hither(hither) => (self.hither_command(hither, attach, port, &argv), port),
            TargetKind::Ttyd(path) => (ttyd_command(self.command(path), port, &argv), port),
            TargetKind::Gotty(path) => (gotty_command(self.command(path), port, &argv), port),
            TargetKind::Floor(mode) => return self.start_floor(*mode, &argv),
            TargetKind::Url(_, _) => unreachable!("handled above"),
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, address));
        let guard = target.guard();
        let certificate = (guard == Guard::TokenAndTls).then(Certificate::new).transpose()?;
        let files = certificate.as_ref().map(Certificate::files);
        let files = files.as_ref().map_or(&[][..], |files| files);
        let start = || ServerProcess::start_with(command, files);
        let mut process = self.pinning.on_server_cpus(start)??;
        process.wait_until_it_listens(address)?;
        let token = (guard != Guard::Open).then(|| process.wait_for_token()).transpose()?;
        let mut running = self.running(target.protocol(), address, Some(process))?;
        if let Some(certificate) = certificate {
            running.dial.tls = Some(certificate.trust()?);
            running.dial.request.is_tls = true;
        }
        running.dial.request.authorization = token.map(|token| format!("Bearer {token}"));
        Ok(running)
    }

    fn start_floor(&self, mode: FloorMode, argv: &[String]) -> io::Result<Running> {
        let (first, rest) = self.own_command.split_first().expect("a command has a program");
        let (name, protocol) = match mode {
            FloorMode::Raw => ("raw", Protocol::Raw),
            FloorMode::WebSocket => ("ws", Protocol::Ttyd),
            FloorMode::Http => ("http", Protocol::Http),
        };
        let mut command = Command::new(first);
        command.args(rest).args(["floor", name, "--"]).args(argv).stdout(Stdio::piped());
        let mut process = self.pinning.on_server_cpus(|| ServerProcess::start(command))??;
        let mut line = String::new();
        let stdout = process.stdout().ok_or(io::ErrorKind::BrokenPipe)?;
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().parse().map_err(io::Error::other)?;
        process.note_executable();
        self.running(protocol, address, Some(process))
    }

    fn hither_command(
        &self,
        hither: &Hither,
        attach: Attach,
        port: u16,
        argv: &[String],
    ) -> Command {
        let mut command = self.command(&self.hither);
        command.args(["serve", "--log-level=error"]);
        match hither.guard {
            Guard::Open => drop(command.arg("--no-auth")),
            Guard::Token => {}
            Guard::TokenAndTls => drop(command.args(Certificate::OPTIONS)),
        }
        command.args(["--port", &port.to_string()]).args(&self.options).args(&hither.options);
        let slow = if attach == Attach::Whole { "wait" } else { "skip" };
        command.arg(format!("--slow-viewer={slow}"));
        // Its memory is measured from outside.
        command.env("HITHER_HARDENING", "off");
        command.arg("--").args(argv).stdout(Stdio::null());
        command
    }

    /// A command that executes `program`, behind the wrapper if there is one.
    fn command(&self, program: &Path) -> Command {
        let Some((first, rest)) = self.wrapper.split_first() else { return Command::new(program) };
        let mut command = Command::new(first);
        command.args(rest).arg(program);
        command
    }

    fn reach(&self, protocol: Protocol, url: &Url, program: Program) -> io::Result<Running> {
        let mut addresses = url.authority.to_socket_addrs()?;
        let address = addresses.next().ok_or(io::ErrorKind::AddrNotAvailable)?;
        let mut running = self.running(protocol, address, None)?;
        running.dial.path.clone_from(&url.path);
        running.dial.request.host.clone_from(&url.authority);
        running.dial.request.authorization.clone_from(&self.authorization);
        running.shell_line = Some(program.shell_line());
        Ok(running)
    }

    fn running(
        &self,
        protocol: Protocol,
        address: SocketAddr,
        process: Option<ServerProcess>,
    ) -> io::Result<Running> {
        let link = self.link.map(|spec| LinkProxy::start(address, spec)).transpose()?;
        let dial = Dial {
            address: link.as_ref().map_or(address, LinkProxy::address),
            protocol,
            path: protocol.default_path().to_owned(),
            tls: None,
            request: Request { is_tls: false, host: address.to_string(), authorization: None },
            attach: Attach::Whole,
            session: None,
            reads_per_second: None,
        };
        Ok(Running { dial, process, shell_line: None, _link: link })
    }
}

fn ttyd_command(mut command: Command, port: u16, argv: &[String]) -> Command {
    command.args(["-W", "-i", "lo", "-d", "1", "-p", &port.to_string()]).args(argv);
    command.stdout(Stdio::null());
    command
}

fn gotty_command(mut command: Command, port: u16, argv: &[String]) -> Command {
    command.args(["-w", "-a", "127.0.0.1", "-p", &port.to_string(), "--ws-origin", ".*"]);
    command.args(argv).stdout(Stdio::null());
    command
}

/// A port that is free now. Somebody else could take it before the server does; then the server
/// says so and the round fails.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
