//! `hither wait`: until something happens in a session.

use std::time::Duration;

use clap::Args;
use http::Method;
use serde_json::{Map, Value};

use super::sessions;
use crate::escape::json_escaped;
use crate::failure::{Exit, Failure};
use crate::gateway::{GatewayArgs, GatewayError};
use crate::output;
use crate::values;

/// Options of `hither wait`.
#[derive(Debug, Args)]
#[command(after_help = "\
The first of the conditions that comes true ends the wait; the end of the program always does.
Ends with code 75 when the time is over first.

Examples:
  hither wait SESSION --prompt
  hither wait SESSION --output 'test result: (ok|FAILED)' --timeout 10m
  hither wait SESSION --screen '~ *$' --quiet 200ms")]
pub(crate) struct WaitArgs {
    /// Session: its id, or as much of the beginning as is its alone
    #[arg(value_name = "SESSION")]
    session: String,
    /// Until new output matches this regular expression
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true)]
    output: Option<String>,
    /// Until the text of the screen matches this regular expression
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true)]
    screen: Option<String>,
    /// Until there was no output for this time
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    quiet: Option<Duration>,
    /// Until the shell waits for a command
    #[arg(long)]
    prompt: bool,
    /// Until the program has ended
    #[arg(long)]
    exit: bool,
    /// Offset from which on output is new, as `hither send --offset` prints [default: the present end]
    #[arg(long, value_name = "OFFSET")]
    from: Option<u64>,
    /// Longest time to wait, at most 10m
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::time)]
    timeout: Duration,
    #[command(flatten)]
    gateway: GatewayArgs,
}

/// Waits and prints what came true, as JSON.
pub(crate) fn run(args: &WaitArgs) -> Result<Exit, Failure> {
    if args.output.is_none()
        && args.screen.is_none()
        && args.quiet.is_none()
        && !args.prompt
        && !args.exit
    {
        return Err(Failure::new(Exit::Usage, "nothing to wait for was said")
            .cure("give --output, --screen, --quiet, --prompt or --exit"));
    }
    let gateway = args.gateway.gateway()?;
    let path = sessions::resolve(&gateway, &args.session)?.path("wait");
    let answer = gateway.fetch(Method::POST, &path, Some(&body(args)), args.timeout)?;
    let answer: Value = serde_json::from_slice(&answer.body)
        .map_err(|error| GatewayError::BadAnswer(error.to_string()))?;
    output::print(&format!("{}\n", json_escaped(&answer.to_string())))?;
    Ok(if answer["reason"] == "timeout" { Exit::TimeOver } else { Exit::Success })
}

fn body(args: &WaitArgs) -> Value {
    let mut body = Map::new();
    let mut say = |name: &str, value: Option<Value>| {
        body.extend(value.map(|value| (name.to_owned(), value)));
    };
    say("output", args.output.clone().map(Value::from));
    say("screen", args.screen.clone().map(Value::from));
    say("quietMs", args.quiet.map(|time| Value::from(values::milliseconds(time))));
    say("prompt", args.prompt.then_some(Value::Bool(true)));
    say("exit", args.exit.then_some(Value::Bool(true)));
    say("from", args.from.map(Value::from));
    say("timeoutMs", Some(values::milliseconds(args.timeout).into()));
    Value::Object(body)
}
