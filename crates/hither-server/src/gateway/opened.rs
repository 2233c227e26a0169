//! Opening everything that a gateway needs, in the order in which it becomes valid.

use std::path::Path;
use std::sync::Arc;

use hither_auth::{Mode, Proxies};
use hither_host::RuntimeDir;
use hither_store::{StateDir, Store, StoreError};
use rustix::process::Rlimit;
use tokio::sync::{mpsc, watch};

use super::bequest::Bequest;
use super::error::kernel;
use super::files::Files;
use super::listen::{Inherited, Kept, Listeners};
use super::measure::MetricsListeners;
use super::open_files::raise_open_files;
use super::upgrading::{self, Upgrading};
use super::{AuditLog, Authentication, Config, GatewayError};
use crate::acme;
use crate::audit::{Audit, Keeper, Silent};
use crate::directory::{self, Directory, HostStarter, LinkError};
use crate::http::{App, Auth, CONNECTIONS_MAX, Succession};
use crate::shell_integration::ShellIntegration;
use crate::store_thread::StoreThread;
use crate::worker::Settings;

/// The parts of a gateway that listens and does not serve yet.
pub(super) struct Opened {
    pub(super) app: Arc<App>,
    pub(super) directory: Arc<Directory>,
    pub(super) listeners: Listeners,
    pub(super) metrics: MetricsListeners,
    /// The listening sockets once more, for a successor.
    pub(super) kept: Vec<Kept>,
    pub(super) stop: watch::Sender<bool>,
    pub(super) upgrading: Upgrading,
    /// The limit of open files before it was raised.
    pub(super) open_files: Option<Rlimit>,
    /// Keeps the certificate of an authority, if that is where it comes from.
    pub(super) certificates: Option<acme::Keeper>,
}

impl Opened {
    /// Opens the state, binds what is listened on and takes over the sessions; nothing is served.
    pub(super) fn open(config: &Config, left: &Bequest) -> Result<Self, GatewayError> {
        let dir = Arc::new(RuntimeDir::open(&config.runtime_dir)?);
        let files = Files::new(dir.path());
        let state_dir = StateDir::open(&config.state_dir).map_err(StoreError::from)?;
        let store = Store::open(&state_dir)?;
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
        let certificates = certificates(config, &state_dir)?;
        upgrading::resume(left, &auth);
        let http = http_config(config, &listeners);
        let app = App::new(http, auth, Arc::<Directory>::clone(&directory), stopping)
            .with_succession(Succession { generation, wishes: wish })
            .with_oidc(config.oidc.clone())
            .with_audit(audit(config)?);
        let app = Arc::new(app);
        Ok(Self {
            upgrading: Upgrading::new(config.program.clone(), told, wishes, Arc::clone(&app)),
            app,
            directory,
            listeners,
            metrics,
            kept,
            stop,
            open_files,
            certificates,
        })
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
        #[cfg(debug_assertions)]
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
        profiles: config.session.profiles.clone(),
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

/// What keeps the certificate of an authority; one that is on the disk is served from now on.
fn certificates(
    config: &Config,
    state_dir: &StateDir,
) -> Result<Option<acme::Keeper>, GatewayError> {
    let keeper = config.listen.acme.clone().map(|acme| acme::Keeper::open(acme, state_dir.path()));
    keeper.transpose().map_err(|error| GatewayError::Acme(error.to_string()))
}

/// The scripts for shells. Sessions start without them when they cannot be written.
fn shell_integration(config: &Config, dir: &Path) -> Option<ShellIntegration> {
    if !config.session.shell_integration {
        return None;
    }
    let installed = ShellIntegration::install(dir);
    installed.map_err(|error| tracing::warn!(%error, "writing the shell integration")).ok()
}

/// The log that the state directory holds.
fn audit(config: &Config) -> Result<Arc<dyn Audit>, GatewayError> {
    Ok(match config.audit_log {
        AuditLog::On => Arc::new(Keeper::start(&config.state_dir).map_err(GatewayError::Audit)?),
        AuditLog::Off => Arc::new(Silent),
    })
}
