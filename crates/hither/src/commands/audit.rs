//! `hither audit`: the log of who did what.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hither_server::audit::{Head, Report, check, each_line, files, verify};
use serde_json::{Map, Value};

use crate::escape::{Escaped, json_escaped};
use crate::failure::{Exit, Failure};
use crate::output;
use crate::store::StoreArgs;

/// Options of `hither audit`.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

/// What to do with the log.
#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Print the records, oldest first
    List(ListArgs),
    /// Check that no record was changed, removed or moved
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Print the records as they are, one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// Files to check instead of those of the state directory, oldest first
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Number of the first record, when older files were moved into an archive
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    first: u64,
    /// An end of the log that was noted earlier, as this command prints it
    #[arg(long, value_name = "NUMBER:HASH")]
    expect: Option<Head>,
    #[command(flatten)]
    store: StoreArgs,
}

/// Does what was asked for.
pub(crate) fn run(args: &AuditArgs) -> Result<Exit, Failure> {
    match &args.command {
        AuditCommand::List(args) => list(args),
        AuditCommand::Verify(args) => verify_log(args),
    }
}

fn list(args: &ListArgs) -> Result<Exit, Failure> {
    let unreadable = |error| failed("the audit log cannot be read", &error);
    for path in files(&args.store.path()).map_err(unreadable)? {
        let mut text = String::new();
        each_line(&path, |line, _| {
            text += &if args.json { json_escaped(line) } else { row(line) };
            text.push('\n');
        })
        .map_err(unreadable)?;
        output::print(&text)?;
    }
    Ok(Exit::Success)
}

/// A record as a person reads it: when, what, who, from where, and the rest.
fn row(line: &str) -> String {
    let Ok(mut record) = serde_json::from_str::<Map<String, Value>>(line) else {
        return format!("not a record: {}", Escaped(line));
    };
    let mut take = |name: &str| match record.remove(name) {
        Some(Value::String(text)) => Escaped(&text).to_string(),
        Some(other) => Escaped(&other.to_string()).to_string(),
        None => "-".to_owned(),
    };
    let [time, event, name, way, from] = ["time", "event", "name", "way", "from"].map(&mut take);
    for hidden in ["previous", "hash", "user"] {
        take(hidden);
    }
    let number = take("number");
    let rest: Vec<String> = record
        .iter()
        .map(|(name, value)| format!("{}={}", Escaped(name), Escaped(&value.to_string())))
        .collect();
    let line =
        format!("{number:>6}  {time}  {event:<15}  {name} ({way}, {from})  {}", rest.join(" "));
    line.trim_end().to_owned()
}

fn verify_log(args: &VerifyArgs) -> Result<Exit, Failure> {
    let report = if args.files.is_empty() {
        verify(&args.store.path(), args.first, args.expect.clone())
    } else {
        check(&args.files, args.first, args.expect.iter().cloned().collect())
    };
    let report = report.map_err(|error| failed("the audit log cannot be read", &error))?;
    output::print(&told(&report))?;
    Ok(if report.is_good() { Exit::Success } else { Exit::Unhealthy })
}

/// What a check has found, in lines.
fn told(report: &Report) -> String {
    let mut text = String::new();
    for (path, line, flaw) in &report.flaws {
        let place = Escaped(&path.display().to_string()).to_string();
        text += &if *line == 0 {
            format!("{place}: {flaw}\n")
        } else {
            format!("{place}:{line}: {flaw}\n")
        };
    }
    if report.torn {
        text += "the last record is half written: a crash came before it was promised\n";
    }
    let (records, head) = (report.records, &report.head);
    if report.is_good() {
        text + &format!("{records} records, none changed; the log ends at {head}\n")
    } else {
        text + &format!("{records} records, {} flaws\n", report.flaw_count)
    }
}

fn failed(doing: &str, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Unavailable, format!("{doing}: {error}; is the --state-dir right?"))
}
