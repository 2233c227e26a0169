//! `hither ls`: the sessions of the running gateway.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;

use super::host_sessions::HostSessions;
use super::sessions::{self, Session};
use super::table::{self, shown};
use super::when;
use crate::failure::{Exit, Failure};
use crate::gateway::{GatewayArgs, GatewayError};
use crate::output;

/// Options of `hither ls`.
#[derive(Debug, Args)]
pub(crate) struct LsArgs {
    /// Print the gateway's own answer, for programs
    #[arg(long)]
    json: bool,
    /// Print id and command of each session only, with a tab between them, for scripts
    #[arg(long, conflicts_with = "json")]
    brief: bool,
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
        print(args, &sessions::read(&list)?)?;
    }
    Ok(Exit::Success)
}

/// Prints what lives on in the PTY host while no gateway runs.
fn print_kept(args: &LsArgs, dir: PathBuf) -> Result<Exit, Failure> {
    let kept = HostSessions::find(&dir)?.map(|host| host.sessions()).unwrap_or_default();
    if kept.is_empty() || args.json {
        return Err(GatewayError::NotRunning(dir).into());
    }
    print(args, &kept)?;
    if !args.brief {
        output::print("no gateway is running; `hither serve` finds these sessions again\n")?;
    }
    Ok(Exit::Success)
}

fn print(args: &LsArgs, sessions: &[Session]) -> Result<(), Failure> {
    if args.brief {
        let line = |session: &Session| format!("{}\t{}\n", shown(&session.id), what(session));
        return output::print(&sessions.iter().map(line).collect::<String>());
    }
    output::print(&table(sessions, SystemTime::now()))
}

/// A line for each session below a line of headings, in columns.
fn table(sessions: &[Session], now: SystemTime) -> String {
    if sessions.is_empty() {
        return "no sessions; start one with `hither new` or in the browser\n".to_owned();
    }
    let headings = ["SESSION", "STATUS", "SIZE", "VIEWERS", "STARTED", "COMMAND"];
    table::table(headings, sessions.iter().map(|session| row(session, now)))
}

fn row(session: &Session, now: SystemTime) -> [String; 6] {
    [
        shown(&session.id),
        shown(if session.lost { "lost" } else { &session.status }),
        if session.cols == 0 {
            "-".to_owned()
        } else {
            format!("{}x{}", session.cols, session.rows)
        },
        session.clients.to_string(),
        // The PTY host does not know.
        if session.created_at.is_empty() {
            "-".to_owned()
        } else {
            when::ago(&session.created_at, now)
        },
        what(session),
    ]
}

/// The command, and the title if it says something else.
fn what(session: &Session) -> String {
    let command = shown(&session.command);
    if session.title.is_empty() || session.title == session.command {
        return command;
    }
    format!("{command}  ({})", shown(&session.title))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    #[test]
    fn the_table_has_columns() {
        let list = json!([
            {"id": "abcdefghijklmnop", "status": "running", "cols": 80, "rows": 24, "clients": 2,
             "createdAt": "2026-11-24T02:17:00Z", "command": "vim a", "title": "a - VIM"},
            {"id": "bbcdefghijklmnop", "status": "exited", "cols": 120, "rows": 40,
             "command": "bash", "title": "bash"},
        ]);
        // 2026-11-24T02:20:00Z.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_486_800);
        let table = table(&sessions::read(&list).unwrap(), now);
        let expect = "\
SESSION           STATUS   SIZE    VIEWERS  STARTED  COMMAND
abcdefghijklmnop  running  80x24   2        3m ago   vim a  (a - VIM)
bbcdefghijklmnop  exited   120x40  0        -        bash
";
        assert_eq!(table, expect);
    }

    #[test]
    fn texts_of_programs_are_escaped_and_cut() {
        let list = json!([{"id": "\u{1b}[2J", "title": "\u{9b}x".repeat(50), "status": "\r"}]);
        let table = table(&sessions::read(&list).unwrap(), SystemTime::UNIX_EPOCH);
        assert!(!table.contains(['\u{1b}', '\u{9b}', '\r']), "{table:?}");
        assert!(table.contains("\\x1b[2J") && table.contains('…'), "{table:?}");
    }

    #[test]
    fn an_empty_list_says_what_to_do() {
        assert!(table(&[], SystemTime::UNIX_EPOCH).contains("hither new"));
    }
}
