//! The log: records on standard error, for people or for machines.
//!
//! Records hold life events of sessions and viewers; never terminal bytes, tokens or environment.

use std::io::{self, IsTerminal as _};

use clap::{Args, ValueEnum};
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::failure::{Exit, Failure};
use crate::traces::{TraceArgs, Traces};

/// What is logged when nobody asks for more or less.
const DEFAULT_FILTER: &str = "info";

/// What is logged and how it looks.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Log")]
pub(crate) struct LogArgs {
    /// Form of the log on standard error
    #[arg(long = "log", value_name = "FORM", value_enum, default_value_t = LogForm::Human)]
    log_form: LogForm,
    /// What to log, `HITHER_LOG`: error, warn, info, debug, trace, or by module as in `info,hither_server=debug`
    #[arg(
        long,
        value_name = "FILTER",
        default_value = DEFAULT_FILTER,
        value_parser = parse_filter
    )]
    log_level: String,
}

/// Form of a log record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogForm {
    /// One line to read, in colour on a terminal
    Human,
    /// One JSON object a line
    Json,
}

/// Starts logging for the rest of the process, and the sending of spans, which ends when the answer
/// is dropped.
///
/// # Errors
/// When logging was started before.
pub(crate) fn start(args: &LogArgs, traces: &TraceArgs) -> Result<Traces, Failure> {
    let log = layer().with_writer(io::stderr);
    let log = match args.log_form {
        LogForm::Human => log.with_ansi(colours()).boxed(),
        LogForm::Json => log.json().flatten_event(true).boxed(),
    };
    let filter = EnvFilter::new(&args.log_level);
    let layers: Vec<_> =
        [log.with_filter(filter).boxed()].into_iter().chain(traces.layer()?).collect();
    let started = tracing_subscriber::registry().with(layers).try_init();
    started.map_err(|err| Failure::new(Exit::Internal, format!("log cannot be started: {err}")))?;
    Ok(Traces)
}

/// Whether standard error shows colours and its owner wants them (<https://no-color.org>).
fn colours() -> bool {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !unwanted
}

/// A filter that can be understood; an empty one, as in `HITHER_LOG=`, is the default.
fn parse_filter(text: &str) -> Result<String, String> {
    let text = if text.trim().is_empty() { DEFAULT_FILTER } else { text };
    match EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("expected a level, as in `debug`, or `info,hither_server=debug`".to_owned()),
    }
}
