//! `hither url`: a fresh address to open in a browser.

use clap::Args;
use http::Method;
use serde_json::Value;

use crate::escape::Escaped;
use crate::failure::{Exit, Failure};
use crate::gateway::{GatewayArgs, GatewayError};
use crate::output;

/// Options of `hither url`.
#[derive(Debug, Args)]
pub(crate) struct UrlArgs {
    #[command(flatten)]
    gateway: GatewayArgs,
}

/// Prints the address with its one-time secret, alone on a line.
pub(crate) fn run(args: &UrlArgs) -> Result<Exit, Failure> {
    let gateway = args.gateway.gateway()?;
    let answer = gateway.request(Method::POST, "/api/auth/launch-url", None)?;
    let url = answer.get("url").and_then(Value::as_str);
    let url = url.ok_or_else(|| GatewayError::BadAnswer("expected a url".to_owned()))?;
    let url = gateway.as_seen_from_here(url);
    output::print(&format!("{}\n", Escaped(&url)))?;
    Ok(Exit::Success)
}
