//! `hither new`: starts a session without a browser.

use std::path::PathBuf;

use clap::Args;
use http::Method;
use serde_json::{Map, Value};

use super::sessions::SESSIONS;
use crate::escape::Escaped;
use crate::failure::{Exit, Failure};
use crate::gateway::{GatewayArgs, GatewayError};
use crate::output;

/// Options of `hither new`.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// Directory to start in [default: this one]
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// Title until the program sets one
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
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
    request.insert("cwd".to_owned(), Value::from(directory(args)?));
    if let Some(title) = &args.title {
        request.insert("title".to_owned(), Value::from(title.as_str()));
    }
    if !args.command.is_empty() {
        request.insert("command".to_owned(), Value::from(args.command.clone()));
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
