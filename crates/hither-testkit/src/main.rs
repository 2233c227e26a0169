//! The programs of the test kit.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use hither_testkit::seqgen::SeqgenArgs;
use hither_testkit::seqsink::SeqsinkArgs;

/// Proves from outside what the gateway promises.
#[derive(Debug, Parser)]
#[command(name = "testkit")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write output that is known beforehand, and keep an account of it
    Seqgen(SeqgenArgs),
    /// Keep what arrives as input
    Seqsink(SeqsinkArgs),
}

fn main() -> std::io::Result<ExitCode> {
    let code = match Cli::parse().command {
        Command::Seqgen(args) => args.run()?,
        Command::Seqsink(args) => args.run()?,
    };
    Ok(ExitCode::from(code))
}
