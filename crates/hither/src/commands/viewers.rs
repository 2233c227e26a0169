//! `hither viewers`: who is attached to a session, and what its owner does about it.

use std::time::SystemTime;

use clap::Args;
use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::sessions::{self, Session};
use super::table::{self, shown};
use super::when;
use crate::failure::{Exit, Failure};
use crate::gateway::{Gateway, GatewayArgs, GatewayError};
use crate::output;

/// Options of `hither viewers`.
#[derive(Debug, Args)]
pub(crate) struct ViewersArgs {
    /// Session: its id, or as much of the beginning as is its alone
    #[arg(value_name = "SESSION")]
    session: String,
    /// Print the gateway's own answer, for programs
    #[arg(long, conflicts_with = "change")]
    json: bool,
    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    gateway: GatewayArgs,
}

/// What happens to a viewer.
#[derive(Debug, Args)]
#[group(id = "change", multiple = false)]
#[command(next_help_heading = "Change")]
struct ChangeArgs {
    /// Let the viewer with this number type, as far as its credential does
    #[arg(long, value_name = "NUMBER")]
    operator: Option<u64>,
    /// Let the viewer with this number watch only
    #[arg(long, value_name = "NUMBER")]
    observer: Option<u64>,
    /// Send the viewer with this number away
    #[arg(long, value_name = "NUMBER")]
    kick: Option<u64>,
}

/// One viewer of the list. What is missing is empty: the list shows what it can.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Viewer {
    viewer: u64,
    name: String,
    via: String,
    share: Option<u64>,
    role: String,
    protocol: String,
    since: String,
    address: Option<String>,
}

/// Prints who is there, or changes it.
pub(crate) fn run(args: &ViewersArgs) -> Result<Exit, Failure> {
    let gateway = args.gateway.gateway()?;
    let session = sessions::resolve(&gateway, &args.session)?;
    let change = &args.change;
    match (change.operator, change.observer, change.kick) {
        (Some(number), _, _) => set_level(&gateway, &session, number, "write"),
        (_, Some(number), _) => set_level(&gateway, &session, number, "read"),
        (_, _, Some(number)) => kick(&gateway, &session, number),
        (None, None, None) => list(&gateway, &session, args.json),
    }
}

fn list(gateway: &Gateway, session: &Session, as_json: bool) -> Result<Exit, Failure> {
    let answer = gateway.request(Method::GET, &session.path("viewers"), None)?;
    if as_json {
        table::print_json(&answer)?;
    } else {
        let viewers = Vec::<Viewer>::deserialize(&answer);
        let viewers = viewers.map_err(|err| GatewayError::BadAnswer(err.to_string()))?;
        output::print(&table(&viewers, SystemTime::now()))?;
    }
    Ok(Exit::Success)
}

fn set_level(
    gateway: &Gateway,
    session: &Session,
    number: u64,
    level: &str,
) -> Result<Exit, Failure> {
    let path = session.path(&format!("viewers/{number}"));
    let answer = gateway.request(Method::PATCH, &path, Some(&json!({ "level": level })));
    let answer = answer.map_err(|error| missing(error, number))?;
    let viewer = Viewer::deserialize(&answer);
    let viewer = viewer.map_err(|err| GatewayError::BadAnswer(err.to_string()))?;
    output::print(&format!("viewer {number} is {}\n", shown(&viewer.role)))?;
    Ok(Exit::Success)
}

fn kick(gateway: &Gateway, session: &Session, number: u64) -> Result<Exit, Failure> {
    let path = session.path(&format!("viewers/{number}"));
    gateway.request(Method::DELETE, &path, None).map_err(|error| missing(error, number))?;
    output::print(&format!("sent viewer {number} away\n"))?;
    Ok(Exit::Success)
}

fn missing(error: GatewayError, number: u64) -> Failure {
    error.or_missing(&format!("there is no viewer {number}"), "see `hither viewers SESSION`")
}

fn table(viewers: &[Viewer], now: SystemTime) -> String {
    if viewers.is_empty() {
        return "no viewers; attach with `hither attach SESSION` or in the browser\n".to_owned();
    }
    let headings = ["NUMBER", "NAME", "ROLE", "BY", "PROTOCOL", "CAME", "ADDRESS"];
    table::table(headings, viewers.iter().map(|viewer| row(viewer, now)))
}

fn row(viewer: &Viewer, now: SystemTime) -> [String; 7] {
    let by = match viewer.share {
        Some(link) => format!("link {link}"),
        None => shown(&viewer.via),
    };
    [
        viewer.viewer.to_string(),
        shown(&viewer.name),
        shown(&viewer.role),
        by,
        shown(&viewer.protocol),
        when::ago(&viewer.since, now),
        viewer.address.as_deref().map_or_else(|| "-".to_owned(), shown),
    ]
}
