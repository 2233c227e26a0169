//! The composition root: builds everything, binds after everything is valid, and takes it down in
//! order: stop accepting, tell viewers, wait, leave. The sessions live on in the PTY host.

mod bequest;
mod config;
mod duties;
mod error;
mod files;
mod listen;
mod measure;
mod open_files;
mod opened;
mod service_manager;
mod signals;
mod successor;
mod upgrading;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hither_host::RuntimeDir;

pub use bequest::BequestError;
pub use config::{
    AuditLog, Authentication, Config, Hardening, Limits, Listen, OnClose, Session, Tuning,
};
pub use error::GatewayError;
pub use service_manager::ServiceManager;
pub use successor::{Bequested, Program, SUCCESSOR_VARIABLE, Start};

use crate::acme;
use crate::directory::Leaving;
use crate::http::{App, Server};
use crate::metrics::MetricsServer;
use bequest::Bequest;
use duties::Duties;
use error::kernel;
use open_files::restore_open_files;
use opened::Opened;
use signals::{Late, Signals};
use successor::Successor;
use upgrading::{become_successor, try_out};

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
    hither_pty::survive_full_files();
    if config.hardening == Hardening::On {
        keep_memory_private().map_err(kernel("keeping the memory of this process private"))?;
    }
    hither_pty::keep_large_memory_apart();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_keep_alive(Duration::MAX)
        // Signals are for the thread that runs the gateway: see `Signals::new`.
        .on_thread_start(hither_pty::hold_signals)
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

/// Keeps the certificate of an authority, for ever.
async fn keep_certificates(keeper: Option<acme::Keeper>) {
    match keeper {
        Some(keeper) => keeper.run().await,
        None => std::future::pending().await,
    }
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
    let opened = Opened::open(&config, &left)?;
    Signals::release();
    let Opened { app, directory, listeners, metrics, kept, stop, .. } = opened;
    let Opened { mut upgrading, open_files, certificates, .. } = opened;
    let generation = left.generation + 1;
    let sessions = directory.status_counts().sessions_running;
    let url = page(&app, generation)?;
    ready(&Ready { url, addresses: listeners.addresses(), sessions, generation });
    config.service_manager.ready(sessions);
    let metrics = metrics.serve(MetricsServer::new(Arc::clone(&app), Arc::clone(&directory)));
    let server = Server::new(Arc::clone(&app));
    let mut serving = pin!(listeners.serve(&server));
    let duties = Duties { app: &app, directory: &directory };
    if upgrading::is_wanted_again(&left) {
        upgrading.begin_again();
    }
    let leave = tokio::select! {
        () = &mut serving => Leave::Stop,
        () = metrics => Leave::Stop,
        leave = duties.run(&mut signals, &mut upgrading) => leave,
        () = keep_certificates(certificates) => Leave::Stop,
    };
    let upgrade = matches!(leave, Leave::Upgrade(_));
    let again = upgrading.is_wanted_again();
    tracing::info!(upgrade, "stopping");
    if upgrade {
        config.service_manager.reloading();
    } else {
        config.service_manager.stopping();
    }
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
    let late = signals.hold().await;
    if late == Late::Stop {
        std::process::exit(STOPPED_TWICE);
    }
    let again = again || late == Late::Upgrade;
    let bequest = upgrading::bequest(generation, &app.auth, again);
    (config.before_leaving)();
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

/// Where to go: with a fresh secret, unless the last one is still good.
fn page(app: &App, generation: u64) -> Result<String, GatewayError> {
    if generation > 1 {
        return Ok(app.config.page_url.clone());
    }
    app.launch_url().map_err(io::Error::other).map_err(kernel("making a launch secret"))
}
