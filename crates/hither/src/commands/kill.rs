//! `hither kill`: ends sessions for everybody.

use clap::Args;
use http::Method;

use super::sessions::{self, SESSIONS, Session};
use crate::cli::RuntimeDirArgs;
use crate::escape::Escaped;
use crate::failure::Exit;
use crate::failure::Failure;
use crate::gateway::Gateway;
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
    runtime_dir: RuntimeDirArgs,
}

/// Ends what was named, and only if all of it is there.
pub(crate) fn run(args: &KillArgs) -> Result<Exit, Failure> {
    let gateway = Gateway::new(args.runtime_dir.resolve());
    let sessions = sessions::read(&sessions::list(&gateway)?)?;
    let doomed: Vec<&Session> = if args.all {
        sessions.iter().collect()
    } else {
        let named = args.ids.iter().map(|id| sessions::find(&sessions, id));
        named.collect::<Result<_, _>>()?
    };
    for session in &doomed {
        gateway.request(Method::DELETE, &path(session), None)?;
        output::print(&format!("ended {}\n", Escaped(&session.id)))?;
    }
    if doomed.is_empty() {
        output::print("no sessions\n")?;
    }
    Ok(Exit::Success)
}

/// The session's place in the API; an id that is not one leads nowhere else.
fn path(session: &Session) -> String {
    let id = session.id.bytes().map(|byte| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    format!("{SESSIONS}/{}", id.collect::<String>())
}
