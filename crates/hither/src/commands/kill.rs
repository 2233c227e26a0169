//! `hither kill`: ends sessions for everybody.

use std::path::PathBuf;

use clap::Args;
use http::Method;

use super::host_sessions::HostSessions;
use super::sessions::{self, Session};
use crate::escape::Escaped;
use crate::failure::Exit;
use crate::failure::Failure;
use crate::gateway::{GatewayArgs, GatewayError};
use crate::output;

/// Options of `hither kill`.
#[derive(Debug, Args)]
pub(crate) struct KillArgs {
    /// Sessions to end: ids, or as much of their beginning as is theirs alone
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<String>,
    /// End every session
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    gateway: GatewayArgs,
}

/// Ends what was named, and only if all of it is there.
pub(crate) fn run(args: &KillArgs) -> Result<Exit, Failure> {
    let gateway = args.gateway.gateway()?;
    let list = match sessions::list(&gateway) {
        Err(GatewayError::NotRunning(dir)) => return kill_kept(args, dir),
        list => list?,
    };
    end(args, &sessions::read(&list)?, |session| {
        gateway.request(Method::DELETE, &session.path(""), None)?;
        Ok(())
    })
}

/// Ends sessions that live on in the PTY host while no gateway runs.
fn kill_kept(args: &KillArgs, dir: PathBuf) -> Result<Exit, Failure> {
    let Some(mut host) = HostSessions::find(&dir)? else {
        return Err(GatewayError::NotRunning(dir).into());
    };
    end(args, &host.sessions(), |session| host.close(&session.id))
}

fn end(
    args: &KillArgs,
    sessions: &[Session],
    mut close: impl FnMut(&Session) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    let doomed: Vec<&Session> = if args.all {
        sessions.iter().collect()
    } else {
        let named = args.ids.iter().map(|id| sessions::find(sessions, id));
        named.collect::<Result<_, _>>()?
    };
    for session in &doomed {
        close(session)?;
        output::print(&format!("ended {}\n", Escaped(&session.id)))?;
    }
    if doomed.is_empty() {
        output::print("no sessions\n")?;
    }
    Ok(Exit::Success)
}
