//! `hither logs`: what a session has written, as far as it is kept.

use std::time::Duration;

use clap::Args;
use http::Method;

use super::sessions;
use crate::escape::lines_escaped;
use crate::failure::{Exit, Failure};
use crate::gateway::GatewayArgs;
use crate::output;

/// How long one request waits for more output.
const WAIT: Duration = Duration::from_secs(20);
/// Output in one answer.
const BYTES: u32 = 256 * 1024;

/// Options of `hither logs`.
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// Session: its id, or as much of the beginning as is its alone
    #[arg(value_name = "SESSION")]
    session: String,
    /// Go on with what is written from now on, until the program ends
    #[arg(short, long)]
    follow: bool,
    /// Offset to begin at [default: the oldest output that is kept]
    #[arg(long, value_name = "OFFSET")]
    from: Option<u64>,
    /// Print the bytes as they are, which a terminal obeys, not their text
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    gateway: GatewayArgs,
}

/// Prints the output.
pub(crate) fn run(args: &LogsArgs) -> Result<Exit, Failure> {
    let gateway = args.gateway.gateway()?;
    let place = sessions::resolve(&gateway, &args.session)?.path("output");
    let format = if args.raw { "raw" } else { "text" };
    let (mut from, mut wait) = (args.from, Duration::ZERO);
    loop {
        let start = from.map(|from| format!("&from={from}")).unwrap_or_default();
        let wait_ms = wait.as_millis();
        let path = format!("{place}?format={format}&limit={BYTES}&wait={wait_ms}{start}");
        let answer = gateway.fetch(Method::GET, &path, None, wait)?;
        if args.raw {
            output::print_bytes(&answer.body)?;
        } else {
            output::print(&lines_escaped(&answer.text()))?;
        }
        let next = answer.number("hither-next-offset");
        let all = next.is_none() || (next == from && !args.follow);
        if answer.says("hither-end") || all {
            return Ok(Exit::Success);
        }
        if next == from || answer.body.is_empty() {
            if !args.follow {
                return Ok(Exit::Success);
            }
            wait = WAIT;
        }
        from = next;
    }
}
