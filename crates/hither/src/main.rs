//! The `hither` binary: parses the command line and hands over to one of the commands.
#![forbid(unsafe_code)]

mod cli;
mod commands;
mod escape;
mod failure;
mod gateway;
mod logging;
mod output;
mod prompt;
mod runtime_dir;
mod settings;
mod store;
mod traces;
mod values;

use std::process::ExitCode;

use failure::{Exit, Failure};
use settings::ParseError;

fn main() -> ExitCode {
    let (cli, settings) = match settings::parse(std::env::args_os().collect()) {
        Ok(parsed) => parsed,
        Err(ParseError::CommandLine(err)) => return print_usage(&err),
        Err(ParseError::Setting(failure)) => return end(&failure),
    };
    commands::run(cli.command, &settings).unwrap_or_else(|failure| end(&failure))
}

fn end(failure: &Failure) -> ExitCode {
    output::print_failure(failure);
    failure.exit().into()
}

/// Prints what clap has to say, which may be the help that was asked for.
fn print_usage(err: &clap::Error) -> ExitCode {
    // Nobody is left to be told when the terminal itself is gone.
    err.print().ok();
    if err.use_stderr() { Exit::Usage.into() } else { Exit::Success.into() }
}
