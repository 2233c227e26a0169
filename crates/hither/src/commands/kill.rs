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
    #[arg(value_name = "SESSION", required_unless_present = "all", conflicts_with = "all")]
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
    let sessions = sessions::read(&list)?;
    let doomed = doomed(args, &sessions)?;
    for session in &doomed {
        gateway.request(Method::DELETE, &session.path(""), None)?;
        say_ended(&session.id)?;
    }
    finish(&doomed)
}

/// Ends sessions that live on in the PTY host while no gateway runs.
fn kill_kept(args: &KillArgs, dir: PathBuf) -> Result<Exit, Failure> {
    let Some(mut host) = HostSessions::find(&dir)? else {
        return Err(GatewayError::NotRunning(dir).into());
    };
    let sessions = host.sessions();
    let doomed = doomed(args, &sessions)?;
    host.close(&doomed, say_ended)?;
    finish(&doomed)
}

/// What is to be ended; an error if something that was named is not there.
fn doomed<'a>(args: &KillArgs, sessions: &'a [Session]) -> Result<Vec<&'a Session>, Failure> {
    if args.all {
        return Ok(sessions.iter().collect());
    }
    args.ids.iter().map(|id| sessions::find(sessions, id)).collect()
}

fn say_ended(id: &str) -> Result<(), Failure> {
    output::print(&format!("ended {}\n", Escaped(id)))
}

fn finish(doomed: &[&Session]) -> Result<Exit, Failure> {
    if doomed.is_empty() {
        output::print("no sessions\n")?;
    }
    Ok(Exit::Success)
}
