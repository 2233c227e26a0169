//! The bench as a program of its own, for work on the bench itself.

use std::process::ExitCode;

use clap::Parser;
use hither_bench::BenchArgs;

/// An honest load test for web terminals
#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    bench: BenchArgs,
}

fn main() -> ExitCode {
    hither_bench::run(&Cli::parse().bench, &[])
}
