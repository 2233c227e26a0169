//! The composition root: builds everything, binds after everything is valid, and takes it down in
//! order: stop accepting, tell viewers, wait, leave. The sessions live on in the PTY host.

mod config;
mod files;
mod listen;
mod measure;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use hither_auth::{Mode, People};
use hither_host::{RuntimeDir, RuntimeDirError};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

pub use config::{Authentication, Config, Listen, Session, Tuning};

use crate::directory::{self, Directory, HostStarter, LinkError};
use crate::http::{App, Auth, CONNECTIONS_MAX, Server};
use crate::metrics::MetricsServer;
use crate::worker::Settings;
use files::Files;
use listen::Listeners;
use measure::MetricsListeners;

/// Why a gateway cannot run. Each text names the cure where there is one.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The runtime directory cannot be used.
    #[error(transparent)]
    RuntimeDir(#[from] RuntimeDirError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {cause}; choose another with --port")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the kernel says.
        cause: io::Error,
    },
    /// The address of the metrics cannot be listened on.
    #[error("cannot listen on {address} for metrics: {cause}; choose another with --metrics")]
    BindMetrics {
        /// The address.
        address: SocketAddr,
        /// What the kernel says.
        cause: io::Error,
    },
    /// A Unix socket cannot be listened on.
    #[error("cannot listen on {}: {cause}", path.display())]
    BindUnix {
        /// Path of the socket.
        path: PathBuf,
        /// What the kernel says.
        cause: io::Error,
    },
    /// Another gateway serves the sessions of this directory.
    #[error(
        "another gateway (process {0}) serves these sessions; stop it, or choose another --runtime-dir"
    )]
    Claimed(u32),
    /// The PTY host cannot be had.
    #[error("{0}")]
    Host(String),
    /// Anything else that the kernel refused.
    #[error("{doing}: {cause}")]
    Kernel {
        /// What was being done.
        doing: &'static str,
        /// What the kernel says.
        cause: io::Error,
    },
}

/// A gateway that listens.
#[derive(Debug)]
pub struct Ready {
    /// Where it listens.
    pub addresses: Vec<SocketAddr>,
    /// The address to open in a browser; it works once if authentication is on.
    pub url: String,
    /// Sessions taken over from the last gateway.
    pub sessions: usize,
}

/// How a gateway ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Sessions that live on in the PTY host.
    pub sessions: usize,
}

/// Runs a gateway until SIGTERM or SIGINT. `ready` is called once it listens.
///
/// A second signal ends the process at once.
///
/// # Errors
/// When it cannot start; nothing is left half-started then, except perhaps an idle PTY host, which
/// ends by itself.
pub fn run(config: Config, ready: impl FnOnce(&Ready)) -> Result<Stopped, GatewayError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(kernel("starting the runtime"))?;
    runtime.block_on(serve(config, ready))
}

async fn serve(config: Config, ready: impl FnOnce(&Ready)) -> Result<Stopped, GatewayError> {
    let dir = Arc::new(RuntimeDir::open(&config.runtime_dir)?);
    let files = Files::new(dir.path());
    let mut signals = Signals::new().map_err(kernel("watching signals"))?;
    let mut listeners = Listeners::bind_tcp(&config.listen)?;
    let directory = Arc::new(open_directory(&config, &dir)?);
    // Only now: children get the limit that the PTY host was started with.
    raise_open_files();
    // Only the gateway that holds the claim may replace the sockets of the last one.
    listeners.bind_unix(&dir.gateway_socket())?;
    if let Some(path) = &config.listen.socket {
        listeners.bind_unix(path)?;
    }
    let metrics = MetricsListeners::bind(&config.listen, dir.path())?;
    let (stop, stopping) = watch::channel(false);
    let auth = auth(&config, &files)?;
    let http = http_config(&config, listeners.page_url());
    let app = App::new(http, auth, Arc::<Directory>::clone(&directory), stopping);
    let app = Arc::new(app);
    ready(&Ready {
        url: app
            .launch_url()
            .map_err(io::Error::other)
            .map_err(kernel("making a launch secret"))?,
        addresses: listeners.addresses(),
        sessions: directory.status_counts().sessions_running,
    });
    let metrics = metrics.serve(MetricsServer::new(Arc::clone(&app), Arc::clone(&directory)));
    let server = Server::new(Arc::clone(&app));
    let serving = listeners.serve(&server);
    tokio::pin!(serving);
    tokio::select! {
        () = directory.run() => {}
        () = &mut serving => {}
        () = metrics => {}
        () = store_logins(&app, &files) => {}
        () = signals.next() => tracing::info!("stopping"),
    }
    stop.send_replace(true);
    let second = signals.next();
    tokio::select! {
        () = serving => {}
        () = second => std::process::exit(128 + 15),
    }
    let sessions = tokio::task::spawn_blocking(move || directory.stop());
    tokio::select! {
        sessions = sessions => Ok(Stopped { sessions: sessions.unwrap_or(0) }),
        () = signals.next() => std::process::exit(128 + 15),
    }
}

fn open_directory(config: &Config, dir: &Arc<RuntimeDir>) -> Result<Directory, GatewayError> {
    let settings = Settings {
        read_bytes: config.tuning.read_bytes,
        batch_bytes: config.tuning.batch_bytes,
        batch_delay: config.tuning.batch_delay,
        spin: config.tuning.spin,
        scrollback_lines: config.session.scrollback_lines,
        slow: config.session.slow,
        simulated_latency: config.tuning.simulated_latency,
    };
    let starter = HostStarter {
        dir: Arc::clone(dir),
        program: config.host.0.clone(),
        args: config.host.1.clone(),
    };
    let directory = directory::Config {
        program: config.session.command.clone(),
        cwd: config.session.cwd.clone(),
        history_bytes: config.session.history_bytes,
        environment: directory::allowed(config.environment.iter().cloned()),
    };
    let workers = usize::from(config.tuning.workers.get());
    let opened = Directory::open(directory, settings, workers, starter);
    opened.map_err(|error| {
        if let LinkError::Claimed(pid) = error {
            GatewayError::Claimed(pid)
        } else {
            GatewayError::Host(error.to_string())
        }
    })
}

fn auth(config: &Config, files: &Files) -> Result<Auth, GatewayError> {
    let mode = match config.listen.authentication {
        Authentication::Required => Mode::Required,
        Authentication::Off => Mode::Off,
    };
    let mut people = People::new(&config.session.user);
    people.tokens.add(files.token().map_err(kernel("keeping the token for programs"))?);
    let logins = files.logins().unwrap_or_else(|error| {
        tracing::warn!(%error, "logins of the last gateway are lost");
        Vec::new()
    });
    Ok(Auth::new(mode, people, logins))
}

fn http_config(config: &Config, page_url: String) -> crate::http::Config {
    crate::http::Config {
        server_name: "Hither".to_owned(),
        user: config.session.user.clone(),
        shell: config.session.shell.clone(),
        page_url,
        connections_max: CONNECTIONS_MAX,
        sessions_max: directory::SESSIONS_MAX,
        public_origins: config.listen.public_origins.clone(),
    }
}

/// Lets this process open as many files as the hard limit allows: each session takes one, each
/// viewer another.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    let raised = Rlimit { current: maximum, maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "raising the limit of open files");
    }
}

/// Keeps browsers logged in over a restart.
async fn store_logins(app: &App, files: &Files) {
    let mut changes = app.auth.login_changes();
    while changes.changed().await.is_ok() {
        if let Err(error) = files.store_logins(&app.auth.logins()) {
            tracing::warn!(%error, "storing logins");
        }
    }
}

/// The signals that ask a gateway to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn kernel(doing: &'static str) -> impl Fn(io::Error) -> GatewayError {
    move |cause| GatewayError::Kernel { doing, cause }
}
