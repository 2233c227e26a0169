//! `hither upgrade`: the running gateway goes on as another program.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use http::Method;
use serde_json::{Value, json};

use crate::cli::RuntimeDirArgs;
use crate::escape::Escaped;
use crate::failure::{Exit, Failure};
use crate::gateway::{Gateway, GatewayError};
use crate::output;

/// How long the gateway may try the new program, which it gives ten seconds.
const TRIAL_TIME: Duration = Duration::from_secs(15);
/// How long the new program may take to answer.
const TAKEOVER_TIME: Duration = Duration::from_secs(20);
/// What the gateway knows of itself.
const STATUS: &str = "/api/server/status";

/// Options of `hither upgrade`.
#[derive(Debug, Args)]
pub(crate) struct UpgradeArgs {
    /// Program that the gateway becomes [default: this one]
    #[arg(long, value_name = "PROGRAM")]
    to: Option<PathBuf>,
    #[command(flatten)]
    runtime_dir: RuntimeDirArgs,
}

/// Asks for the upgrade and waits until the new program serves.
pub(crate) fn run(args: &UpgradeArgs) -> Result<Exit, Failure> {
    let gateway = Gateway::new(args.runtime_dir.resolve());
    let program = match &args.to {
        Some(program) => std::path::absolute(program),
        None => std::env::current_exe(),
    };
    let program = program.map_err(|error| {
        Failure::new(Exit::Internal, format!("finding the program to upgrade to: {error}"))
    })?;
    let begun = begin(&gateway, &program)?;
    let generation = begun.get("generation").and_then(Value::as_u64).unwrap_or(0);
    let now = wait(&gateway, generation)?;
    let text = |value: &Value, name: &str| {
        value.get(name).and_then(Value::as_str).unwrap_or("?").to_owned()
    };
    let sessions = now.get("sessions").and_then(Value::as_u64).unwrap_or(0);
    let (before, after) = (text(&begun, "version"), text(&now, "version"));
    let wanted = text(&begun, "successorVersion");
    if after != wanted {
        let message = format!(
            "version {} could not be executed; version {} goes on",
            Escaped(&wanted),
            Escaped(&after)
        );
        return Err(Failure::new(Exit::Internal, message).cure("see the gateway's log"));
    }
    output::print(&format!(
        "upgraded from {} to {}; running sessions: {sessions}\n",
        Escaped(&before),
        Escaped(&after)
    ))?;
    Ok(Exit::Success)
}

fn begin(gateway: &Gateway, program: &Path) -> Result<Value, Failure> {
    let path = program.to_str().ok_or_else(|| {
        let message = format!("path {} is not valid UTF-8", program.display());
        Failure::new(Exit::Usage, message).cure("give another one with --to PROGRAM")
    })?;
    let body = json!({ "program": path });
    let path = "/api/server/upgrade";
    match gateway.request_within(TRIAL_TIME, Method::POST, path, Some(&body)) {
        Err(GatewayError::Refused { status, message }) if status == http::StatusCode::CONFLICT => {
            Err(Failure::new(Exit::Refused, format!("no upgrade: {message}"))
                .cure("the gateway goes on as it was"))
        }
        Err(GatewayError::Refused { status, .. }) if status == http::StatusCode::NOT_FOUND => {
            let message = "the running gateway is too old to be upgraded";
            Err(Failure::new(Exit::Refused, message).cure("stop it and start it again"))
        }
        answer => Ok(answer?),
    }
}

/// The status of the gateway that follows the one of `generation`. Whoever asks in between is
/// answered by the next program, or has to ask again.
fn wait(gateway: &Gateway, generation: u64) -> Result<Value, Failure> {
    let deadline = Instant::now() + TAKEOVER_TIME;
    loop {
        let answer = gateway.request(Method::GET, STATUS, None);
        let late = Instant::now() > deadline;
        match answer {
            Ok(status) if later(&status, generation) => return Ok(status),
            Ok(_) | Err(GatewayError::BadAnswer(_) | GatewayError::Timeout(_)) if !late => {}
            Err(GatewayError::Io(_)) if !late => {}
            Ok(_) => {
                let message = "the gateway has not been replaced";
                return Err(Failure::new(Exit::Internal, message).cure("see its log"));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn later(status: &Value, generation: u64) -> bool {
    status.get("generation").and_then(Value::as_u64).is_some_and(|now| now > generation)
}
