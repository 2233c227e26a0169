//! `hither run`: a command for a session's shell, and what came of it.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use http::Method;
use serde_json::{Value, json};

use super::sessions;
use crate::escape::{json_escaped, lines_escaped};
use crate::failure::{Exit, Failure};
use crate::gateway::{GatewayArgs, GatewayError};
use crate::{output, values};

/// Options of `hither run`.
#[derive(Debug, Args)]
#[command(after_help = "\
The shell of the session must wait at its prompt, and mark it, as shells do that Hither starts.
Ends with the command's own exit code; 75 when the time is over first (it goes on running).")]
pub(crate) struct RunArgs {
    /// Session: its id, or as much of the beginning as is its alone
    #[arg(value_name = "SESSION")]
    session: String,
    /// Command line for the shell; several words are put together with spaces
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// Longest time to wait for its end, at most 10m
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::time)]
    timeout: Duration,
    /// Print the gateway's own answer, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayArgs,
}

/// Runs it, prints its output and ends with its exit code.
pub(crate) fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let gateway = args.gateway.gateway()?;
    let path = sessions::resolve(&gateway, &args.session)?.path("run");
    let command = args.command.join(" ");
    let body = json!({ "command": command, "timeoutMs": values::milliseconds(args.timeout) });
    let answer = gateway.fetch(Method::POST, &path, Some(&body), args.timeout)?;
    let answer: Value = serde_json::from_slice(&answer.body)
        .map_err(|error| GatewayError::BadAnswer(error.to_string()))?;
    if args.json {
        output::print(&format!("{}\n", json_escaped(&answer.to_string())))?;
    } else {
        output::print(&lines_escaped(answer["output"].as_str().unwrap_or_default()))?;
    }
    let code = answer["commandExitCode"].as_u64().and_then(|code| u8::try_from(code).ok());
    Ok(match (answer["reason"].as_str(), code) {
        (Some("timeout"), _) => {
            output::print_failure(
                &Failure::new(Exit::TimeOver, "the time is over and the command goes on")
                    .cure("see `hither wait SESSION --prompt`, or give it more with --timeout"),
            );
            Exit::TimeOver.into()
        }
        (_, Some(code)) => code.into(),
        // The shell did not say, or has ended.
        (_, None) => Exit::Unavailable.into(),
    })
}
