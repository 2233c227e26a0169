//! The `hither` binary: parses the command line and hands over to one of the commands.
#![forbid(unsafe_code)]

mod cli;
mod commands;
mod escape;
mod failure;
mod gateway;
mod logging;
mod output;
mod runtime_dir;
mod values;

use std::process::ExitCode;

use clap::Parser as _;

use cli::Cli;
use failure::Exit;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(err) => return print_usage(&err),
    };
    match commands::run(cli.command) {
        Ok(exit) => exit,
        Err(failure) => {
            output::print_failure(&failure);
            failure.exit().into()
        }
    }
}

/// Prints what clap has to say, which may be the help that was asked for.
fn print_usage(err: &clap::Error) -> ExitCode {
    // Nobody is left to be told when the terminal itself is gone.
    err.print().ok();
    if err.use_stderr() { Exit::Usage.into() } else { Exit::Success.into() }
}
