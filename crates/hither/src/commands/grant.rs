//! `hither grant`: what other users of the gateway may do with one session.

use clap::Args;
use hither_auth::UserName;
use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::sessions::{self, Session};
use super::table::{self, shown};
use crate::failure::{Exit, Failure};
use crate::gateway::{Gateway, GatewayArgs, GatewayError};
use crate::output;

/// Options of `hither grant`.
#[derive(Debug, Args)]
pub(crate) struct GrantArgs {
    /// Session: its id, or as much of the beginning as is its alone
    #[arg(value_name = "SESSION")]
    session: String,
    /// Let this user watch the session; without a name, list who may what
    #[arg(value_name = "USER")]
    user: Option<UserName>,
    /// Let the user type, too
    #[arg(long, requires = "user")]
    write: bool,
    /// Take away what was given; whoever is there only by it is sent away
    #[arg(long, requires = "user", conflicts_with = "write")]
    remove: bool,
    /// Print the gateway's own answer, for programs
    #[arg(long, conflicts_with = "remove")]
    json: bool,
    #[command(flatten)]
    gateway: GatewayArgs,
}

/// One grant of the list. What is missing is empty: the list shows what it can.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Grant {
    user: String,
    level: String,
}

/// Lists the grants of a session, or changes what a user has.
pub(crate) fn run(args: &GrantArgs) -> Result<Exit, Failure> {
    let gateway = args.gateway.gateway()?;
    let session = sessions::resolve(&gateway, &args.session)?;
    match &args.user {
        None => list(&gateway, &session, args.json),
        Some(user) if args.remove => remove(&gateway, &session, user),
        Some(user) => give(&gateway, &session, user, args),
    }
}

fn list(gateway: &Gateway, session: &Session, as_json: bool) -> Result<Exit, Failure> {
    let answer = gateway.request(Method::GET, &session.path("grants"), None)?;
    if as_json {
        table::print_json(&answer)?;
        return Ok(Exit::Success);
    }
    output::print(&grants_table(&Vec::<Grant>::deserialize(&answer).map_err(bad)?))?;
    Ok(Exit::Success)
}

fn give(
    gateway: &Gateway,
    session: &Session,
    user: &UserName,
    args: &GrantArgs,
) -> Result<Exit, Failure> {
    let level = if args.write { "write" } else { "read" };
    let answer = gateway.request(Method::PUT, &path(session, user), Some(&json!({"level": level})));
    let answer = answer.map_err(|error| of_user(error, user))?;
    if args.json {
        table::print_json(&answer)?;
        return Ok(Exit::Success);
    }
    let grant = Grant::deserialize(&answer).map_err(bad)?;
    output::print(&format!("{} may {}\n", shown(&grant.user), may(&grant.level)))?;
    Ok(Exit::Success)
}

fn remove(gateway: &Gateway, session: &Session, user: &UserName) -> Result<Exit, Failure> {
    gateway
        .request(Method::DELETE, &path(session, user), None)
        .map_err(|error| of_user(error, user))?;
    output::print(&format!("took away what {user} was given\n"))?;
    Ok(Exit::Success)
}

/// A name consists of characters that mean nothing else in a path.
fn path(session: &Session, user: &UserName) -> String {
    session.path(&format!("grants/{user}"))
}

/// What is not there is the user: the session was found a moment ago.
fn of_user(error: GatewayError, user: &UserName) -> Failure {
    let message = format!("there is no user {user} here");
    error.or_missing(&message, "see `hither grant SESSION` and `hither user list`")
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn bad(error: serde_json::Error) -> GatewayError {
    GatewayError::BadAnswer(error.to_string())
}

fn grants_table(grants: &[Grant]) -> String {
    if grants.is_empty() {
        return "nobody was given anything; let somebody watch with `hither grant SESSION USER`\n"
            .to_owned();
    }
    let row = |grant: &Grant| [shown(&grant.user), may(&grant.level)];
    table::table(["USER", "MAY"], grants.iter().map(row))
}

/// A level in words; one of a later gateway as it is.
fn may(level: &str) -> String {
    match level {
        "read" => "watch".to_owned(),
        "write" => "type".to_owned(),
        other => shown(other),
    }
}
