//! `hither serve`: the gateway.

mod acme;
mod check;
mod config;
mod limits;
mod listen;
mod oidc;

pub(crate) use check::{is_program, usual_shell};
pub(crate) use listen::{ListenArgs, TlsArgs};

use std::ffi::OsString;
use std::num::NonZeroU8;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{RangedU64ValueParser, TypedValueParser as _};
use clap::{Args, ValueEnum};
use hither_server::gateway::{self, Ended, Ready, SUCCESSOR_VARIABLE, Start};

use limits::{LimitArgs, OnCloseArg};
use oidc::OidcArgs;

use crate::cli::{RuntimeDirArgs, StateDirArgs};
use crate::escape::Escaped;
use crate::failure::{Exit, Failure};
use crate::logging::{self, LogArgs};
use crate::settings::{FileArgs, Settings};
use crate::traces::TraceArgs;
use crate::{output, values};

/// Everything that can be said to `hither serve`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServeArgs {
    /// Program to serve and its arguments [default: a shell]
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
    #[command(flatten)]
    pub(crate) listen: ListenArgs,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    #[command(flatten)]
    pub(crate) oidc: OidcArgs,
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) tuning: TuningArgs,
    #[command(flatten)]
    pub(crate) security: SecurityArgs,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    #[command(flatten)]
    pub(crate) traces: TraceArgs,
    #[command(flatten)]
    pub(crate) runtime_dir: RuntimeDirArgs,
    #[command(flatten)]
    pub(crate) state_dir: StateDirArgs,
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// Check every setting, say whether they are good, and start nothing
    #[arg(long, help_heading = "General")]
    pub(crate) check_config: bool,
}

/// What a session is made of.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Sessions")]
pub(crate) struct SessionArgs {
    /// Shell of a session without a command [default: $SHELL, else /bin/sh]
    #[arg(long, value_name = "PATH")]
    pub(crate) shell: Option<PathBuf>,
    /// Leave shells alone, which else mark their prompts and commands for `hither run` and `wait`
    #[arg(long)]
    pub(crate) no_shell_integration: bool,
    /// Directory in which sessions start [default: this one]
    #[arg(long, value_name = "DIR")]
    pub(crate) cwd: Option<PathBuf>,
    /// Lines kept above the screen for those who attach later
    #[arg(
        long,
        value_name = "LINES",
        default_value_t = 1000,
        value_parser = RangedU64ValueParser::<u32>::new().range(0..=100_000)
    )]
    pub(crate) scrollback: u32,
    /// Output kept for viewers who come back: a power of two, 64KiB to 64MiB
    #[arg(long, value_name = "BYTES", default_value = "1MiB", value_parser = values::history_bytes)]
    pub(crate) history_bytes: u32,
    /// What happens to viewers of other protocols who are too slow
    #[arg(long, value_name = "POLICY", value_enum, default_value_t = SlowViewer::Skip)]
    pub(crate) slow_viewer: SlowViewer,
    /// What becomes of processes that a session's program leaves behind
    #[arg(long, value_name = "POLICY", value_enum, default_value_t = OnCloseArg::Hup)]
    pub(crate) on_close: OnCloseArg,
}

/// How the gateway protects itself.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Security")]
pub(crate) struct SecurityArgs {
    /// Keep the gateway's memory from debuggers, core files and the programs in its sessions
    #[arg(long, value_name = "WORD", value_enum, default_value_t = Hardening::On)]
    pub(crate) hardening: Hardening,
    /// Write down in the state directory who did what: see `hither audit`
    #[arg(long, value_name = "WORD", value_enum, default_value_t = AuditLog::On)]
    pub(crate) audit_log: AuditLog,
}

/// Whether there is an audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuditLog {
    /// There is one.
    On,
    /// There is none.
    Off,
}

/// Whether the gateway protects its own process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Hardening {
    /// It does.
    On,
    /// It does not, as for measuring or debugging it.
    Off,
}

/// What costs time and what saves it.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Performance")]
pub(crate) struct TuningArgs {
    /// Threads that serve sessions, 1 to 100 [default: one for two cores]
    #[arg(
        long,
        value_name = "COUNT",
        value_parser = clap::value_parser!(u8).range(1..=100).map(non_zero)
    )]
    pub(crate) workers: Option<NonZeroU8>,
    /// Microseconds to poll after a keystroke before sleeping, 0 to 50: echo sooner, more CPU
    #[arg(
        long,
        value_name = "MICROSECONDS",
        default_value_t = 0,
        value_parser = clap::value_parser!(u8).range(0..=50)
    )]
    pub(crate) spin: u8,
    /// Most bytes of one read from a PTY, 1KiB to 64KiB
    #[arg(long, value_name = "BYTES", default_value = "64KiB", value_parser = values::chunk_bytes)]
    pub(crate) read_buffer: u32,
    /// Most bytes of one output message, 1KiB to 64KiB
    #[arg(long, value_name = "BYTES", default_value = "64KiB", value_parser = values::chunk_bytes)]
    pub(crate) batch_bytes: u32,
    /// Time to wait for more output before sending, 0 to 1s; each ms is added to every echo
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = values::batch_delay)]
    pub(crate) batch_delay: Duration,
    /// Hold up each keystroke for so many milliseconds, to see what is measured
    #[cfg(debug_assertions)]
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0, hide = true)]
    pub(crate) simulate_latency: u16,
}

/// What happens to a viewer that reads more slowly than the program writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SlowViewer {
    /// It is skipped to the present with a snapshot
    Skip,
    /// The program waits for it
    Wait,
}

fn non_zero(count: u8) -> NonZeroU8 {
    NonZeroU8::new(count).expect("the range of the option starts at 1")
}

/// Serves until it is told to stop. Nothing is opened before every setting has been checked.
pub(crate) fn run(args: &ServeArgs, settings: &Settings) -> Result<Exit, Failure> {
    args.check()?;
    if args.check_config {
        args.config(settings)?;
        output::print(&format!("the settings are good ({})\n", Escaped(&settings.file_name())))?;
        return Ok(Exit::Success);
    }
    let _traces = logging::start(&args.log, &args.traces)?;
    for warning in args.warnings() {
        tracing::warn!("{warning}");
    }
    let start = Start::from_variable(std::env::var_os(SUCCESSOR_VARIABLE))
        .map_err(gateway::GatewayError::from)?;
    match gateway::run(args.config(settings)?, start, |ready| greet(args, ready))? {
        Ended::Stopped(sessions) => output::print(&farewell(sessions))?,
        Ended::Tried => {}
    }
    Ok(Exit::Success)
}

/// Says where to go. The address alone is on standard output, for programs.
fn greet(args: &ServeArgs, ready: &Ready) {
    if args.listen.no_auth {
        tracing::warn!("{}", hither_server::http::NO_AUTH_MEANING);
    }
    if ready.sessions > 0 {
        tracing::info!(sessions = ready.sessions, "sessions of the last gateway taken over");
    }
    if ready.generation > 1 {
        let version = env!("CARGO_PKG_VERSION");
        tracing::info!(version, generation = ready.generation, "upgraded");
        return;
    }
    // Nobody is left to be told when standard output is gone; the gateway serves all the same.
    output::print(&format!("Hither is at {}\n", ready.url)).ok();
}

/// What lives on after the gateway, and how to end it.
fn farewell(sessions: usize) -> String {
    match sessions {
        0 => "Hither has stopped; no session lives on\n".to_owned(),
        1 => "Hither has stopped; 1 session lives on: `hither serve` finds it again, \
              `hither kill --all` ends it\n"
            .to_owned(),
        count => format!(
            "Hither has stopped; {count} sessions live on: `hither serve` finds them again, \
             `hither kill --all` ends them\n"
        ),
    }
}

impl From<gateway::GatewayError> for Failure {
    fn from(error: gateway::GatewayError) -> Self {
        use gateway::GatewayError as E;
        let exit = match error {
            E::RuntimeDir(_) | E::Store(_) | E::Audit(_) | E::Acme(_) | E::Passed { .. } => {
                Exit::Configuration
            }
            E::Bind { .. }
            | E::BindMetrics { .. }
            | E::BindUnix { .. }
            | E::Claimed(_)
            | E::Host(_) => Exit::Unavailable,
            E::Bequest(_) | E::Upgrade(_) | E::Kernel { .. } => Exit::Internal,
        };
        Self::new(exit, error.to_string())
    }
}
