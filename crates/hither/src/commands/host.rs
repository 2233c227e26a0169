//! `hither host`: the PTY host, which keeps the PTYs while gateways come and go.

use clap::Args;
use hither_host::{Tracing, serve_detached};

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
    serve_detached(dir.path(), Tracing::Forbidden)
        .map_err(|error| Failure::new(Exit::Unavailable, error.to_string()))?;
    Ok(Exit::Success)
}
