//! Everything that can be set, as parsed values.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU8;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hither_auth::{IpNet, Origin};
use http::HeaderName;

use crate::acme;
use crate::http::{BasePath, Profiles};
use crate::oidc::Provider;
use crate::tls::Acceptor;

use super::{Program, ServiceManager};
pub use crate::sessions::OnClose;

/// Settings of a gateway. Nothing here is checked again: the command line has done so.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen and whom to let in.
    pub listen: Listen,
    /// By whom people sign on, if by anybody.
    pub oidc: Option<Arc<Provider>>,
    /// What a session is made of.
    pub session: Session,
    /// How much there may be, and for how long.
    pub limits: Limits,
    /// What costs time and what saves it.
    pub tuning: Tuning,
    /// Whether the process keeps its memory to itself.
    pub hardening: Hardening,
    /// Whether the state directory holds a log of who did what.
    pub audit_log: AuditLog,
    /// Directory of the sockets, mode 0700; absolute path.
    pub runtime_dir: PathBuf,
    /// Directory of the store, mode 0700; absolute path.
    pub state_dir: PathBuf,
    /// How a PTY host is started: a program and its arguments.
    pub host: (PathBuf, Vec<String>),
    /// How this process was started, which is how its successor will be.
    pub program: Program,
    /// Who started this process and wants to know how it fares.
    pub service_manager: ServiceManager,
    /// Called last before this process becomes another program.
    pub before_leaving: fn(),
    /// The environment that children may inherit from; an allow-list is applied to it.
    pub environment: Vec<(String, String)>,
}

/// Whether there is an audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditLog {
    /// There is one. What an admin does is not done when it cannot be written.
    On,
    /// There is none.
    Off,
}

/// Whether the process keeps its memory to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hardening {
    /// No debugger, no core file, nothing of `/proc` that shows memory, environment or descriptors:
    /// the programs in the sessions run as the same user.
    On,
    /// As the system allows it.
    Off,
}

/// Where to listen and whom to let in.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Addresses. Those of the network need TLS, a proxy, or [`Self::insecure_plaintext`].
    pub addresses: Vec<IpAddr>,
    /// TCP port; 0 takes a free one.
    pub port: u16,
    /// How many listening sockets a service manager has passed to this process, in place of sockets
    /// that it would open itself at the same addresses.
    pub passed: u8,
    /// A Unix socket besides the one in the runtime directory.
    pub socket: Option<PathBuf>,
    /// Where the metrics are served besides the socket in the runtime directory.
    pub metrics: Option<SocketAddr>,
    /// Origins under which browsers know the gateway.
    pub public_origins: Vec<Origin>,
    /// Makes TLS connections; none for plain HTTP.
    pub tls: Option<Arc<Acceptor>>,
    /// How its certificate is obtained, if it is not from files.
    pub acme: Option<acme::Settings>,
    /// Proxies whose `X-Forwarded-*` headers count.
    pub proxies: Vec<IpNet>,
    /// The header in which those proxies name the user, if they do.
    pub identity_header: Option<HeaderName>,
    /// Whether strangers may come without TLS and without a proxy on addresses of the network.
    pub insecure_plaintext: bool,
    /// Path below which everything is.
    pub base_path: BasePath,
    /// Whether credentials are asked for.
    pub authentication: Authentication,
}

impl Listen {
    /// Whether these settings listen on `address`.
    pub(super) fn names(&self, address: SocketAddr) -> bool {
        let named = self.addresses.contains(&address.ip())
            && (self.port == 0 || self.port == address.port());
        named || self.metrics == Some(address)
    }
}

/// Whether credentials are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// Launch secret, cookie, token.
    Required,
    /// Everybody who reaches the port gets in; pages of other sites are refused all the same.
    Off,
}

/// What a session is made of.
#[derive(Clone, Debug)]
pub struct Session {
    /// Program and arguments of a session for which nothing else is said.
    pub command: Vec<String>,
    /// Shell that interprets a command line; absolute path.
    pub shell: PathBuf,
    /// Where sessions start.
    pub cwd: PathBuf,
    /// Login name of the user that everything runs as.
    pub user: String,
    /// Whether shells are made to mark their prompts and commands.
    pub shell_integration: bool,
    /// Lines kept above the screen.
    pub scrollback_lines: usize,
    /// Bytes of output kept; a power of two.
    pub history_bytes: u64,
    /// What happens to viewers that cannot keep up.
    pub slow: hither_core::viewer::Slow,
    /// Sessions that requests may name.
    pub profiles: Profiles,
    /// What becomes of processes that a session's child leaves behind, unless the session says.
    pub on_close: OnClose,
}

/// How much there may be, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Sessions at a time, running and exited.
    pub sessions_max: usize,
    /// Viewers of one session.
    pub viewers_max: usize,
    /// Bytes of input that wait in one session for its program to read them.
    pub input_queue_bytes_max: usize,
    /// Time without input and output after which a session is closed; none is never.
    pub idle_max: Option<Duration>,
    /// Time without a viewer after which a session is closed; none is never.
    pub grace: Option<Duration>,
    /// How long an exited session stays listed.
    pub exited_kept: Duration,
}

/// What costs time and what saves it.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Threads that serve sessions.
    pub workers: NonZeroU8,
    /// How long to poll after a keystroke before sleeping.
    pub spin: Duration,
    /// Most bytes of one read from a PTY.
    pub read_bytes: usize,
    /// Most bytes of one output message; with a delay, what is waited for.
    pub batch_bytes: u64,
    /// How long output is held back; zero by default.
    pub batch_delay: Duration,
    /// How long each keystroke is held up, for tests of what is measured. Debug builds only.
    pub simulated_latency: Duration,
}
