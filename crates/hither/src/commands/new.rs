//! `hither new`: starts a session without a browser.

use std::path::PathBuf;

use clap::Args;
use http::Method;
use serde_json::{Map, Value};

use super::sessions::SESSIONS;
use crate::escape::Escaped;
use crate::failure::{Exit, Failure};
use crate::gateway::{GatewayArgs, GatewayError};
use crate::{output, values};

/// Options of `hither new`.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// Directory to start in [default: this one]
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// A profile of the gateway's settings instead of a command
    #[arg(long, value_name = "NAME", conflicts_with = "command")]
    profile: Option<String>,
    /// Title until the program sets one
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Window size until a viewer has one, as in 132x50
    #[arg(long, value_name = "COLSxROWS", value_parser = values::window_size)]
    size: Option<(u32, u32)>,
    /// Label, as in team=a; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = values::pair)]
    label: Vec<(String, String)>,
    /// Variable of its environment, of those that the gateway allows; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = values::pair)]
    env: Vec<(String, String)>,
    /// Program to run and its arguments [default: what the gateway serves]
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    #[command(flatten)]
    gateway: GatewayArgs,
}

/// Starts the session and prints its id, alone on a line.
pub(crate) fn run(args: &NewArgs) -> Result<Exit, Failure> {
    let gateway = args.gateway.gateway()?;
    let answer = gateway.request(Method::POST, SESSIONS, Some(&request(args)?))?;
    let id = answer.get("id").and_then(Value::as_str);
    let id = id.ok_or_else(|| GatewayError::BadAnswer("expected an id".to_owned()))?;
    output::print(&format!("{}\n", Escaped(id)))?;
    Ok(Exit::Success)
}

fn request(args: &NewArgs) -> Result<Value, Failure> {
    let mut request = Map::new();
    let mut set = |name: &str, value: Value| drop(request.insert(name.to_owned(), value));
    if let Some(profile) = &args.profile {
        set("profile", profile.as_str().into());
    }
    // A profile may have a directory of its own.
    if args.cwd.is_some() || args.profile.is_none() {
        set("cwd", directory(args)?.into());
    }
    if let Some(title) = &args.title {
        set("title", title.as_str().into());
    }
    if let Some((cols, rows)) = args.size {
        set("cols", cols.into());
        set("rows", rows.into());
    }
    for (member, pairs) in [("labels", &args.label), ("env", &args.env)] {
        if !pairs.is_empty() {
            let pairs = pairs.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
            set(member, Value::Object(pairs.collect()));
        }
    }
    if !args.command.is_empty() {
        set("command", args.command.clone().into());
    }
    Ok(Value::Object(request))
}

/// The directory to start in, absolute, since the gateway has a current directory of its own.
fn directory(args: &NewArgs) -> Result<String, Failure> {
    let asked = args.cwd.clone().unwrap_or_else(|| PathBuf::from("."));
    let path = asked.canonicalize().map_err(|err| {
        let message = format!("directory {} cannot be entered: {err}", asked.display());
        Failure::new(Exit::Usage, message).cure("name another one with --cwd DIR")
    })?;
    path.into_os_string().into_string().map_err(|path| {
        let message = format!("directory {} is not a UTF-8 name", path.display());
        Failure::new(Exit::Usage, message).cure("name another one with --cwd DIR")
    })
}
