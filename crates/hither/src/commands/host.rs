//! `hither host`: the PTY host, which keeps the PTYs while gateways come and go.

use clap::Args;

use crate::cli::RuntimeDirArgs;
use crate::failure::{Exit, Failure};

/// Options of `hither host`.
#[derive(Debug, Args)]
pub(crate) struct HostArgs {
    #[command(flatten)]
    runtime_dir: RuntimeDirArgs,
}

/// Runs the PTY host until its last session has ended.
pub(crate) fn run(args: &HostArgs) -> Result<Exit, Failure> {
    let dir = args.runtime_dir.resolve();
    let message = format!("no PTY host can be started in {}", dir.path().display());
    Err(Failure::new(Exit::Unavailable, message).cure("build hither with its PTY host"))
}
