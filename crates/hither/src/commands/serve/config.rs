//! From the command line to the gateway's settings.

use std::ffi::OsString;
use std::num::NonZeroU8;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hither_core::viewer::Slow;
use hither_server::gateway::{self, Config, Program, ServiceManager, Session, Tuning};

use super::{AuditLog, Hardening, ServeArgs, SlowViewer, TuningArgs};
use crate::failure::{Exit, Failure};
use crate::settings::Settings;
use crate::store::own_name;

impl ServeArgs {
    /// The settings of the gateway.
    pub(super) fn config(&self, settings: &Settings) -> Result<Config, Failure> {
        let runtime_dir = self.runtime_dir.resolve().path().to_path_buf();
        let program = std::env::current_exe().map_err(|error| {
            Failure::new(Exit::Internal, format!("finding this program: {error}"))
        })?;
        let dir = text(runtime_dir.clone().into_os_string(), "runtime directory")?;
        Ok(Config {
            listen: self.listen.settings(&self.tls)?,
            oidc: self.oidc.provider(self.listen.no_auth)?,
            session: self.session(settings)?,
            limits: self.limits.limits(),
            tuning: self.tuning(),
            state_dir: self.state_dir.resolve(&self.runtime_dir),
            hardening: match self.security.hardening {
                Hardening::On => gateway::Hardening::On,
                Hardening::Off => gateway::Hardening::Off,
            },
            audit_log: match self.security.audit_log {
                AuditLog::On => gateway::AuditLog::On,
                AuditLog::Off => gateway::AuditLog::Off,
            },
            runtime_dir,
            service_manager: ServiceManager::at(std::env::var_os("NOTIFY_SOCKET")),
            before_leaving: crate::traces::flush,
            program: Program { path: started_from(&program), argv: std::env::args_os().collect() },
            host: (program, vec!["host".to_owned(), "--runtime-dir".to_owned(), dir]),
            environment: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
        })
    }

    fn session(&self, settings: &Settings) -> Result<Session, Failure> {
        let shell = self.shell();
        let command = if self.command.is_empty() {
            vec![text(shell.clone().into_os_string(), "shell")?]
        } else {
            self.command
                .iter()
                .map(|word| text(word.clone(), "command"))
                .collect::<Result<_, _>>()?
        };
        Ok(Session {
            command,
            profiles: settings.profiles(&shell)?,
            shell,
            cwd: self.session.cwd.clone().map_or_else(usual_cwd, absolute),
            user: own_name(),
            shell_integration: !self.session.no_shell_integration,
            scrollback_lines: usize::try_from(self.session.scrollback).unwrap_or(usize::MAX),
            history_bytes: u64::from(self.session.history_bytes),
            slow: match self.session.slow_viewer {
                SlowViewer::Skip => Slow::Skip,
                SlowViewer::Wait => Slow::Wait,
            },
            on_close: self.session.on_close.into(),
        })
    }

    fn tuning(&self) -> Tuning {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Tuning {
            workers: self.tuning.workers.unwrap_or_else(|| usual_workers(cores)),
            spin: Duration::from_micros(u64::from(self.tuning.spin)),
            read_bytes: usize::try_from(self.tuning.read_buffer).unwrap_or(usize::MAX),
            batch_bytes: u64::from(self.tuning.batch_bytes),
            batch_delay: self.tuning.batch_delay,
            simulated_latency: self.tuning.simulated_latency(),
        }
    }
}

/// One worker for two cores: for each byte of a flood the program and the kernel's terminal spend more
/// than twice the time that the worker does, so that more workers would only take from them.
fn usual_workers(cores: usize) -> NonZeroU8 {
    let workers = u8::try_from(cores.div_ceil(2).min(100)).ok();
    workers.and_then(NonZeroU8::new).unwrap_or(NonZeroU8::MIN)
}

impl TuningArgs {
    #[cfg(debug_assertions)]
    fn simulated_latency(&self) -> Duration {
        Duration::from_millis(self.simulate_latency.into())
    }

    #[cfg(not(debug_assertions))]
    const fn simulated_latency(&self) -> Duration {
        Duration::ZERO
    }
}

/// The path by which `program`, this very file, was started: a link stays a link, so that an upgrade
/// follows it to where it leads then.
fn started_from(program: &Path) -> PathBuf {
    let name = PathBuf::from(std::env::args_os().next().unwrap_or_default());
    let named = if name.components().count() > 1 {
        Some(absolute(name))
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).map(|dir| dir.join(&name)).find(|file| file.is_file())
    };
    let is_it = |file: &PathBuf| std::fs::canonicalize(file).is_ok_and(|file| file == program);
    named.filter(is_it).unwrap_or_else(|| program.to_path_buf())
}

fn text(value: OsString, what: &str) -> Result<String, Failure> {
    value.into_string().map_err(|value| {
        let message = format!("{what} {} is not valid UTF-8", value.display());
        Failure::new(Exit::Configuration, message)
    })
}

/// Where the command was given; the user's home when that is gone.
fn usual_cwd() -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| {
        std::env::var_os("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from)
    })
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}
