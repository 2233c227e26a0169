//! `hither share`: links that let others into one session.

use std::time::{Duration, SystemTime};

use clap::Args;
use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::sessions::{self, Session};
use super::table::{self, shown};
use super::when;
use crate::escape::Escaped;
use crate::failure::{Exit, Failure};
use crate::gateway::{Gateway, GatewayArgs, GatewayError};
use crate::prompt::{self, From};
use crate::{output, values};

/// Options of `hither share`.
#[derive(Debug, Args)]
pub(crate) struct ShareArgs {
    /// Session: its id, or as much of the beginning as is its alone
    #[arg(value_name = "SESSION")]
    session: String,
    /// List the links of the session, without their secrets
    #[arg(long, conflicts_with_all = ["revoke", "new_link"])]
    list: bool,
    /// Withdraw the link with this number of --list; whoever came by it is sent away
    #[arg(long, value_name = "NUMBER", conflicts_with = "new_link")]
    revoke: Option<u64>,
    /// With --list: print the gateway's own answer, for programs
    #[arg(long, requires = "list")]
    json: bool,
    #[command(flatten)]
    link: LinkArgs,
    #[command(flatten)]
    gateway: GatewayArgs,
}

/// What a new link is like.
#[derive(Debug, Args)]
#[group(id = "new_link", multiple = true)]
#[command(next_help_heading = "New link")]
struct LinkArgs {
    /// Let its holders type, too
    #[arg(long)]
    write: bool,
    /// When it ends, at most in 30 days, as in 30m, 12h or 7d [default: 24h]
    #[arg(long, value_name = "TIME", value_parser = values::share_life)]
    expires: Option<Duration>,
    /// Most viewers that are there by it at a time [default: 64]
    #[arg(long, value_name = "COUNT")]
    viewers_max: Option<u32>,
    /// Ask for a passphrase that its holders must know besides
    #[arg(long)]
    passphrase: bool,
    /// Take that passphrase from the first line of standard input
    #[arg(long, conflicts_with = "passphrase")]
    passphrase_stdin: bool,
    /// Only for people with an account here; so is a link with --write unless --no-login is given
    #[arg(long, conflicts_with = "no_login")]
    needs_login: bool,
    /// For everybody who has it
    #[arg(long)]
    no_login: bool,
    /// What to call it
    #[arg(long, value_name = "TEXT", value_parser = values::label)]
    label: Option<String>,
}

/// One link of the list. What is missing is empty: the list shows what it can.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Link {
    id: u64,
    level: String,
    label: String,
    passphrase: bool,
    needs_login: bool,
    expires_at: String,
    viewers_max: u64,
    viewers: u64,
}

/// Makes a link and prints its address, this once; or lists or withdraws links.
pub(crate) fn run(args: &ShareArgs) -> Result<Exit, Failure> {
    let gateway = args.gateway.gateway()?;
    let session = sessions::resolve(&gateway, &args.session)?;
    match args.revoke {
        Some(number) => revoke(&gateway, &session, number),
        None if args.list => list(&gateway, &session, args.json),
        None => create(&gateway, &session, &args.link),
    }
}

/// Prints the address alone on a line, for `URL=$(hither share …)`.
fn create(gateway: &Gateway, session: &Session, link: &LinkArgs) -> Result<Exit, Failure> {
    let path = session.path("shares");
    let answer = gateway.request(Method::POST, &path, Some(&link.request()?))?;
    let url = answer.get("url").and_then(Value::as_str);
    let url = url.ok_or_else(|| GatewayError::BadAnswer("expected a url".to_owned()))?;
    let url = gateway.as_seen_from_here(url);
    output::print(&format!("{}\n", Escaped(&url)))?;
    Ok(Exit::Success)
}

fn list(gateway: &Gateway, session: &Session, as_json: bool) -> Result<Exit, Failure> {
    let answer = gateway.request(Method::GET, &session.path("shares"), None)?;
    if as_json {
        table::print_json(&answer)?;
    } else {
        let links = Vec::<Link>::deserialize(&answer);
        let links = links.map_err(|err| GatewayError::BadAnswer(err.to_string()))?;
        output::print(&table(&links, SystemTime::now()))?;
    }
    Ok(Exit::Success)
}

fn revoke(gateway: &Gateway, session: &Session, number: u64) -> Result<Exit, Failure> {
    let path = session.path(&format!("shares/{number}"));
    gateway.request(Method::DELETE, &path, None).map_err(|error| {
        error.or_missing(&format!("there is no link {number}"), "see `hither share SESSION --list`")
    })?;
    output::print(&format!("withdrew link {number}\n"))?;
    Ok(Exit::Success)
}

impl LinkArgs {
    fn request(&self) -> Result<Value, Failure> {
        let mut request = Map::new();
        let mut set = |name: &str, value: Value| drop(request.insert(name.to_owned(), value));
        if self.write {
            set("level", "write".into());
        }
        if let Some(expires) = self.expires {
            set("expiresIn", expires.as_secs().into());
        }
        if let Some(max) = self.viewers_max {
            set("viewersMax", max.into());
        }
        if self.needs_login || self.no_login {
            set("needsLogin", self.needs_login.into());
        }
        if let Some(label) = &self.label {
            set("label", label.as_str().into());
        }
        if self.passphrase || self.passphrase_stdin {
            let from = if self.passphrase { From::Terminal } else { From::StandardInput };
            set("passphrase", prompt::passphrase(from)?.into());
        }
        Ok(Value::Object(request))
    }
}

fn table(links: &[Link], now: SystemTime) -> String {
    if links.is_empty() {
        return "no links; make one with `hither share SESSION`\n".to_owned();
    }
    let headings = ["NUMBER", "LEVEL", "VIEWERS", "ASKS FOR", "EXPIRES", "LABEL"];
    table::table(headings, links.iter().map(|link| row(link, now)))
}

fn row(link: &Link, now: SystemTime) -> [String; 6] {
    let asks = match (link.passphrase, link.needs_login) {
        (false, false) => "nothing",
        (true, false) => "passphrase",
        (false, true) => "login",
        (true, true) => "passphrase, login",
    };
    [
        link.id.to_string(),
        shown(&link.level),
        format!("{} of {}", link.viewers, link.viewers_max),
        asks.to_owned(),
        when::ahead(&link.expires_at, now),
        shown(&link.label),
    ]
}
