//! `hither rename`: gives a session a title.

use clap::Args;
use http::Method;
use serde_json::json;

use super::sessions;
use crate::failure::{Exit, Failure};
use crate::gateway::GatewayArgs;

/// Options of `hither rename`.
#[derive(Debug, Args)]
pub(crate) struct RenameArgs {
    /// Session: its id, or as much of the beginning as is its alone
    #[arg(value_name = "SESSION")]
    session: String,
    /// The new title, until the program sets another
    #[arg(value_name = "TITLE", allow_hyphen_values = true)]
    title: String,
    #[command(flatten)]
    gateway: GatewayArgs,
}

/// Sets the title.
pub(crate) fn run(args: &RenameArgs) -> Result<Exit, Failure> {
    let gateway = args.gateway.gateway()?;
    let path = sessions::resolve(&gateway, &args.session)?.path("");
    gateway.request(Method::PATCH, &path, Some(&json!({ "title": args.title })))?;
    Ok(Exit::Success)
}
