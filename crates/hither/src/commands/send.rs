//! `hither send`: types into a session.

use std::io::Read as _;

use clap::Args;
use http::Method;
use serde_json::{Map, Value};

use super::sessions;
use crate::failure::{Exit, Failure};
use crate::gateway::GatewayArgs;
use crate::output;

/// Most bytes that are read from standard input.
const STDIN_BYTES_MAX: u64 = 512 * 1024;

/// Options of `hither send`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hither send SESSION 'make test' --key Enter
  hither send SESSION --key Ctrl-C
  hither send SESSION --key Escape --key : --key q --key Enter
  git diff | hither send SESSION --paste -")]
pub(crate) struct SendArgs {
    /// Session: its id, or as much of the beginning as is its alone
    #[arg(value_name = "SESSION")]
    session: String,
    /// Text to type, as it is; - reads it from standard input
    #[arg(value_name = "TEXT", allow_hyphen_values = true, required_unless_present_any = ["paste", "keys"])]
    text: Option<String>,
    /// Text to paste, behind what is typed; - reads it from standard input
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    paste: Option<String>,
    /// Key to press, behind the text, such as Enter, Ctrl-C, Alt-x, Up or F5; may be given several times
    #[arg(short, long = "key", value_name = "NAME", allow_hyphen_values = true)]
    keys: Vec<String>,
    /// Print where the output ended before, which `hither wait --from` takes
    #[arg(long)]
    offset: bool,
    #[command(flatten)]
    gateway: GatewayArgs,
}

/// Types text, then pastes, then presses keys.
pub(crate) fn run(args: &SendArgs) -> Result<Exit, Failure> {
    let gateway = args.gateway.gateway()?;
    let path = sessions::resolve(&gateway, &args.session)?.path("input");
    let answer = gateway.request(Method::POST, &path, Some(&body(args)?))?;
    if args.offset
        && let Some(offset) = answer.get("offset").and_then(Value::as_u64)
    {
        output::print(&format!("{offset}\n"))?;
    }
    Ok(Exit::Success)
}

fn body(args: &SendArgs) -> Result<Value, Failure> {
    let mut body = Map::new();
    let mut say = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    if let Some(text) = &args.text {
        say("data", text_or_stdin(text)?.into());
    }
    if let Some(text) = &args.paste {
        say("paste", text_or_stdin(text)?.into());
    }
    if !args.keys.is_empty() {
        say("keys", args.keys.clone().into());
    }
    Ok(Value::Object(body))
}

fn text_or_stdin(text: &str) -> Result<String, Failure> {
    if text != "-" {
        return Ok(text.to_owned());
    }
    let mut read = String::new();
    let wrong = |message: String| {
        Failure::new(Exit::Usage, message).cure("send less at a time, as UTF-8 text")
    };
    let result = std::io::stdin().take(STDIN_BYTES_MAX + 1).read_to_string(&mut read);
    result.map_err(|error| wrong(format!("standard input cannot be read: {error}")))?;
    if read.len() as u64 > STDIN_BYTES_MAX {
        return Err(wrong(format!("standard input has more than {STDIN_BYTES_MAX} bytes")));
    }
    Ok(read)
}
