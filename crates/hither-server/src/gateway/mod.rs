//! The composition root: builds everything, binds after everything is valid, and takes it down in
//! order: stop accepting, tell viewers, wait, leave. The sessions live on in the PTY host.

mod bequest;
mod config;
mod files;
mod listen;
mod measure;
mod signals;
mod successor;
mod upgrading;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hither_auth::{Mode, Proxies};
use hither_host::{RuntimeDir, RuntimeDirError};
use hither_store::{StateDir, Store, StoreError};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

pub use bequest::BequestError;
pub use config::{
    AuditLog, Authentication, Config, Hardening, Limits, Listen, OnClose, Session, Tuning,
};
pub use successor::{Bequested, Program, SUCCESSOR_VARIABLE, Start};

use crate::audit::{Audit, Keeper, Silent};
use crate::directory::{self, Directory, HostStarter, Leaving, LinkError};
use crate::http::{App, Auth, CONNECTIONS_MAX, Server, Succession};
use crate::metrics::MetricsServer;
use crate::shell_integration::ShellIntegration;
use crate::store_thread::StoreThread;
use crate::worker::Settings;
use bequest::Bequest;
use files::Files;
use listen::{Inherited, Kept, Listeners};
use measure::MetricsListeners;
use signals::{Asked, Signals};
use successor::Successor;
use upgrading::{Upgrading, become_successor, try_out};

/// How often the store is looked at for what another program has written.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often is stored when tokens and logins were last used.
const FLUSH_EVERY: Duration = Duration::from_secs(60);

/// Why a gateway cannot run. Each text names the cure where there is one.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The runtime directory cannot be used.
    #[error(transparent)]
    RuntimeDir(#[from] RuntimeDirError),
    /// The audit log cannot be written.
    #[error("audit log: {0}; mend that, choose another --state-dir, or use --audit-log off")]
    Audit(io::Error),
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
    /// A socket that the service manager passed cannot be served.
    #[error("descriptor {number}, which the service manager passed, {problem}")]
    Passed {
        /// Number of the descriptor.
        number: std::os::fd::RawFd,
        /// What is wrong with it, and the cure.
        problem: String,
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
    /// What the running gateway left cannot be taken over.
    #[error(transparent)]
    Bequest(#[from] BequestError),
    /// The gateway had stopped for a successor that could not be executed, and neither could it
    /// itself.
    #[error("{0}; start a gateway again: the sessions live on")]
    Upgrade(String),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
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
    /// How many programs have served in this process, this one included: more than 1 after an
    /// upgrade. The address is not a new one then.
    pub generation: u64,
}

/// How a gateway ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was told to; so many sessions live on in the PTY host.
    Stopped(usize),
    /// It was a trial, and it could have started.
    Tried,
}

/// Exit code of a gateway that was told to stop a second time: that of a shell for SIGTERM.
const STOPPED_TWICE: i32 = 128 + 15;

/// Why a gateway leaves off serving.
enum Leave {
    Stop,
    Upgrade(Successor),
}

/// Runs a gateway until SIGTERM or SIGINT. `ready` is called once it listens.
///
/// A second signal ends the process at once. SIGHUP, SIGUSR2 or a request replaces the program: a
/// new one that has shown that it can start goes on in this process, with the listening sockets.
///
/// # Errors
/// When it cannot start; nothing is left half-started then, except perhaps an idle PTY host, which
/// ends by itself.
pub fn run(
    config: Config,
    start: Start,
    ready: impl FnOnce(&Ready),
) -> Result<Ended, GatewayError> {
    if config.hardening == Hardening::On {
        keep_memory_private().map_err(kernel("keeping the memory of this process private"))?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_keep_alive(Duration::MAX)
        .build()
        .map_err(kernel("starting the runtime"))?;
    // One thread for what blocks is started now and stays: later there may be no process left.
    drop(runtime.spawn_blocking(|| ()));
    runtime.block_on(async {
        match start {
            Start::Trial(left) => try_out(&config, &left.0).map(|()| Ended::Tried),
            Start::Fresh => serve(config, Bequest::new(0), ready).await,
            Start::Succeed(left) => serve(config, left.0, ready).await,
        }
    })
}

/// The log that the state directory holds.
fn audit(config: &Config) -> Result<Arc<dyn Audit>, GatewayError> {
    Ok(match config.audit_log {
        AuditLog::On => Arc::new(Keeper::start(&config.state_dir).map_err(GatewayError::Audit)?),
        AuditLog::Off => Arc::new(Silent),
    })
}

/// Forbids others to trace this process or to read its memory, and with it core files: prctl(2).
/// Whatever it executes starts with the permissions of its file again.
fn keep_memory_private() -> io::Result<()> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// Serves; `left` is what the program before this one left, or nothing.
async fn serve(
    config: Config,
    left: Bequest,
    ready: impl FnOnce(&Ready),
) -> Result<Ended, GatewayError> {
    let mut signals = Signals::new().map_err(kernel("watching signals"))?;
    let Opened { app, directory, listeners, metrics, kept, stop, mut upgrading, open_files } =
        Opened::open(&config, &left)?;
    let generation = left.generation + 1;
    ready(&Ready {
        url: page(&app, generation)?,
        addresses: listeners.addresses(),
        sessions: directory.status_counts().sessions_running,
        generation,
    });
    let metrics = metrics.serve(MetricsServer::new(Arc::clone(&app), Arc::clone(&directory)));
    let server = Server::new(Arc::clone(&app));
    let mut serving = pin!(listeners.serve(&server));
    let duties = Duties { app: &app, directory: &directory };
    let leave = tokio::select! {
        () = &mut serving => Leave::Stop,
        () = metrics => Leave::Stop,
        leave = duties.run(&mut signals, &mut upgrading) => leave,
    };
    let upgrade = matches!(leave, Leave::Upgrade(_));
    tracing::info!(upgrade, "stopping");
    // The sockets of a gateway that stops for good close when it accepts no more.
    let kept = Some(kept).filter(|_| upgrade).unwrap_or_default();
    stop.send_replace(true);
    drop(upgrading);
    tokio::select! {
        () = serving => {}
        () = signals.stop() => std::process::exit(STOPPED_TWICE),
    }
    let leaving = if upgrade { Leaving::ForSuccessor } else { Leaving::ForGood };
    let sessions = tokio::task::spawn_blocking(move || directory.stop(leaving));
    let sessions = tokio::select! {
        sessions = sessions => sessions.unwrap_or(0),
        () = signals.stop() => std::process::exit(STOPPED_TWICE),
    };
    app.finish_audit().await;
    let Leave::Upgrade(successor) = leave else {
        remove_sockets(&config);
        return Ok(Ended::Stopped(sessions));
    };
    if let Err(error) = app.auth.flush().await {
        tracing::warn!(%error, "logins are lost");
    }
    restore_open_files(open_files);
    let bequest = upgrading::bequest(generation, &app.auth);
    become_successor(&successor, &config.program, &bequest, &kept)
}

/// Removes the Unix sockets of a gateway that stops for good. It holds the claim until its process
/// ends, so they are no other's.
fn remove_sockets(config: &Config) {
    let own =
        [RuntimeDir::GATEWAY_SOCKET, measure::SOCKET].map(|name| config.runtime_dir.join(name));
    for path in own.iter().chain(&config.listen.socket) {
        if let Err(error) = std::fs::remove_file(path) {
            tracing::debug!(%error, "removing a socket");
        }
    }
}

/// The parts of a gateway that listens and does not serve yet.
struct Opened {
    app: Arc<App>,
    directory: Arc<Directory>,
    listeners: Listeners,
    metrics: MetricsListeners,
    /// The listening sockets once more, for a successor.
    kept: Vec<Kept>,
    stop: watch::Sender<bool>,
    upgrading: Upgrading,
    /// The limit of open files before it was raised.
    open_files: Option<Rlimit>,
}

impl Opened {
    fn open(config: &Config, left: &Bequest) -> Result<Self, GatewayError> {
        let dir = Arc::new(RuntimeDir::open(&config.runtime_dir)?);
        let files = Files::new(dir.path());
        let store = Store::open(&StateDir::open(&config.state_dir).map_err(StoreError::from)?)?;
        let inherited = match left.generation {
            0 => Inherited::take_passed(&config.listen)?,
            // What was passed to the first program was left by the last one.
            _ => Inherited::take(&left.listeners),
        };
        let mut listeners = Listeners::bind_tcp(&config.listen, inherited)?;
        let directory = Arc::new(open_directory(config, &dir)?);
        // Only now: children get the limit that the PTY host was started with.
        let open_files = raise_open_files();
        // Only the gateway that holds the claim may replace the sockets of the last one.
        listeners.bind_unix(&dir.gateway_socket())?;
        if let Some(path) = &config.listen.socket {
            listeners.bind_unix(path)?;
        }
        let metrics = MetricsListeners::bind(&config.listen, dir.path(), &mut listeners)?;
        let kept = listeners.finish();
        let (stop, stopping) = watch::channel(false);
        let (wish, wishes) = mpsc::channel(1);
        let generation = left.generation + 1;
        let told = upgrading::told(generation, &kept);
        let auth = auth(config, &files, store)?;
        upgrading::resume(left, &auth);
        let http = http_config(config, &listeners);
        let app = App::new(http, auth, Arc::<Directory>::clone(&directory), stopping)
            .with_succession(Succession { generation, wishes: wish })
            .with_audit(audit(config)?);
        Ok(Self {
            app: Arc::new(app),
            directory,
            listeners,
            metrics,
            kept,
            stop,
            upgrading: Upgrading::new(config.program.clone(), told, wishes),
            open_files,
        })
    }
}

/// What a gateway does besides serving its listeners.
struct Duties<'a> {
    app: &'a App,
    directory: &'a Directory,
}

impl Duties<'_> {
    /// Does it until there is a reason to leave.
    async fn run(&self, signals: &mut Signals, upgrading: &mut Upgrading) -> Leave {
        let mut running = pin!(self.directory.run());
        let mut storing = pin!(self.keep_store());
        let mut watching = pin!(self.app.watch_passes());
        loop {
            tokio::select! {
                () = &mut running => return Leave::Stop,
                () = &mut storing => return Leave::Stop,
                () = &mut watching => return Leave::Stop,
                successor = upgrading.next() => return Leave::Upgrade(successor),
                asked = signals.next() => match asked {
                    Asked::Stop => return Leave::Stop,
                    Asked::Upgrade => upgrading.begin(None, None),
                },
            }
        }
    }

    /// Keeps the store and its image in memory the same: what another program has written is
    /// looked for once a second, in case it did not say so.
    async fn keep_store(&self) {
        let auth = &self.app.auth;
        let mut changes = auth.login_changes();
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut flushes = interval_at(Instant::now() + FLUSH_EVERY, FLUSH_EVERY);
        loop {
            let kept = tokio::select! {
                _ = changes.changed() => auth.flush().await,
                _ = flushes.tick() => auth.flush().await,
                _ = looks.tick() => auth.refresh().await,
            };
            if let Err(error) = kept {
                tracing::warn!(%error, "keeping the store");
            }
        }
    }
}

/// Where to go: with a fresh secret, unless the last one is still good.
fn page(app: &App, generation: u64) -> Result<String, GatewayError> {
    if generation > 1 {
        return Ok(app.config.page_url.clone());
    }
    app.launch_url().map_err(io::Error::other).map_err(kernel("making a launch secret"))
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
        viewers_max: config.limits.viewers_max,
        input_queue_bytes_max: config.limits.input_queue_bytes_max,
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
        on_close: config.session.on_close,
        limits: config.limits,
        environment: directory::allowed(config.environment.iter().cloned()),
        integration: shell_integration(config, dir.path()),
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

fn auth(config: &Config, files: &Files, store: Store) -> Result<Auth, GatewayError> {
    let mode = match config.listen.authentication {
        Authentication::Required => Mode::Required,
        Authentication::Off => Mode::Off,
    };
    let mut people = store.people(&config.session.user)?;
    people.tokens.add(files.token().map_err(kernel("keeping the token for programs"))?);
    let logins = store.logins()?;
    let store = StoreThread::start(store).map_err(kernel("starting the store's thread"))?;
    Ok(Auth::new(mode, people, logins).with_store(store))
}

fn http_config(config: &Config, listeners: &Listeners) -> crate::http::Config {
    crate::http::Config {
        server_name: "Hither".to_owned(),
        user: config.session.user.clone(),
        shell: config.session.shell.clone(),
        page_url: listeners.page_url(&config.listen),
        connections_max: CONNECTIONS_MAX,
        sessions_max: config.limits.sessions_max,
        public_origins: listeners.names(&config.listen.public_origins),
        proxies: Proxies::new(config.listen.proxies.clone()),
        identity_header: config.listen.identity_header.clone(),
        insecure_plaintext: config.listen.insecure_plaintext,
        base_path: config.listen.base_path.clone(),
    }
}

/// The scripts for shells. Sessions start without them when they cannot be written.
fn shell_integration(config: &Config, dir: &Path) -> Option<ShellIntegration> {
    if !config.session.shell_integration {
        return None;
    }
    let installed = ShellIntegration::install(dir);
    installed.map_err(|error| tracing::warn!(%error, "writing the shell integration")).ok()
}

/// Lets this process open as many files as the hard limit allows: each session takes one, each
/// viewer another. Returns the limit before, if it was another.
fn raise_open_files() -> Option<Rlimit> {
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: before.maximum, maximum: before.maximum };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => Some(before),
        Err(error) => {
            tracing::warn!(%error, "raising the limit of open files");
            None
        }
    }
}

fn restore_open_files(limit: Option<Rlimit>) {
    if let Some(limit) = limit
        && let Err(error) = setrlimit(Resource::Nofile, limit)
    {
        tracing::warn!(%error, "restoring the limit of open files");
    }
}

fn kernel(doing: &'static str) -> impl Fn(io::Error) -> GatewayError {
    move |cause| GatewayError::Kernel { doing, cause }
}
