//! `hither ls`: the sessions of the running gateway.

use std::path::PathBuf;

use clap::Args;

use super::host_sessions::HostSessions;
use super::sessions::{self, Session};
use super::table::{self, shown};
use crate::failure::{Exit, Failure};
use crate::gateway::{GatewayArgs, GatewayError};
use crate::output;

/// Options of `hither ls`.
#[derive(Debug, Args)]
pub(crate) struct LsArgs {
    /// Print the gateway's own answer, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayArgs,
}

/// Prints a table, or JSON.
pub(crate) fn run(args: &LsArgs) -> Result<Exit, Failure> {
    let gateway = args.gateway.gateway()?;
    let list = match sessions::list(&gateway) {
        Err(GatewayError::NotRunning(dir)) => return print_kept(args, dir),
        list => list?,
    };
    if args.json {
        table::print_json(&list)?;
    } else {
        output::print(&table(&sessions::read(&list)?))?;
    }
    Ok(Exit::Success)
}

/// Prints what lives on in the PTY host while no gateway runs.
fn print_kept(args: &LsArgs, dir: PathBuf) -> Result<Exit, Failure> {
    let kept = HostSessions::find(&dir)?.map(|host| host.sessions()).unwrap_or_default();
    if kept.is_empty() || args.json {
        return Err(GatewayError::NotRunning(dir).into());
    }
    output::print(&table(&kept))?;
    output::print("no gateway is running; `hither serve` finds these sessions again\n")?;
    Ok(Exit::Success)
}

/// A line for each session below a line of headings, in columns.
fn table(sessions: &[Session]) -> String {
    if sessions.is_empty() {
        return "no sessions; start one with `hither new` or in the browser\n".to_owned();
    }
    let headings = ["SESSION", "STATUS", "SIZE", "VIEWERS", "STARTED", "COMMAND"];
    table::table(headings, sessions.iter().map(row))
}

fn row(session: &Session) -> [String; 6] {
    let mut what = shown(&session.command);
    if !session.title.is_empty() && session.title != session.command {
        what = format!("{what}  ({})", shown(&session.title));
    }
    [
        shown(&session.id),
        shown(if session.lost { "lost" } else { &session.status }),
        if session.cols == 0 {
            "-".to_owned()
        } else {
            format!("{}x{}", session.cols, session.rows)
        },
        session.clients.to_string(),
        shown(&session.created_at),
        what,
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_table_has_columns() {
        let list = json!([
            {"id": "abcdefghijklmnop", "status": "running", "cols": 80, "rows": 24, "clients": 2,
             "createdAt": "2026-11-24T02:17:00Z", "command": "vim a", "title": "a - VIM"},
            {"id": "bbcdefghijklmnop", "status": "exited", "cols": 120, "rows": 40,
             "createdAt": "2026-11-24T02:18:00Z", "command": "bash", "title": "bash"},
        ]);
        let table = table(&sessions::read(&list).unwrap());
        let expect = "\
SESSION           STATUS   SIZE    VIEWERS  STARTED               COMMAND
abcdefghijklmnop  running  80x24   2        2026-11-24T02:17:00Z  vim a  (a - VIM)
bbcdefghijklmnop  exited   120x40  0        2026-11-24T02:18:00Z  bash
";
        assert_eq!(table, expect);
    }

    #[test]
    fn texts_of_programs_are_escaped_and_cut() {
        let list = json!([{"id": "\u{1b}[2J", "title": "\u{9b}x".repeat(50), "status": "\r"}]);
        let table = table(&sessions::read(&list).unwrap());
        assert!(!table.contains(['\u{1b}', '\u{9b}', '\r']), "{table:?}");
        assert!(table.contains("\\x1b[2J") && table.contains('…'), "{table:?}");
    }

    #[test]
    fn an_empty_list_says_what_to_do() {
        assert!(table(&[]).contains("hither new"));
    }
}
