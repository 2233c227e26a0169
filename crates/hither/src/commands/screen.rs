//! `hither screen`: what a session shows.

use clap::{Args, ValueEnum};
use http::Method;
use std::time::Duration;

use super::sessions;
use crate::escape::{json_escaped, lines_escaped};
use crate::failure::{Exit, Failure};
use crate::gateway::GatewayArgs;
use crate::output;

/// Options of `hither screen`.
#[derive(Debug, Args)]
pub(crate) struct ScreenArgs {
    /// Session: its id, or as much of the beginning as is its alone
    #[arg(value_name = "SESSION")]
    session: String,
    /// Form of the answer
    #[arg(long, value_name = "FORM", value_enum, default_value_t = ScreenForm::Text)]
    format: ScreenForm,
    #[command(flatten)]
    gateway: GatewayArgs,
}

/// How a screen is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ScreenForm {
    /// The text, a line for each row
    Text,
    /// The rows, the cursor and the offset, as JSON
    Json,
    /// The same, and how each character looks
    Cells,
    /// Bytes that draw it in a terminal that was just reset; they are obeyed, not shown
    Ansi,
}

/// Prints the screen.
pub(crate) fn run(args: &ScreenArgs) -> Result<Exit, Failure> {
    let gateway = args.gateway.gateway()?;
    let session = sessions::resolve(&gateway, &args.session)?;
    let format = args
        .format
        .to_possible_value()
        .map_or_else(String::new, |value| value.get_name().to_owned());
    let path = format!("{}?format={format}", session.path("screen"));
    let answer = gateway.fetch(Method::GET, &path, None, Duration::ZERO)?;
    match args.format {
        ScreenForm::Text => output::print(&lines_escaped(&answer.text()))?,
        ScreenForm::Json | ScreenForm::Cells => {
            output::print(&format!("{}\n", json_escaped(&answer.text())))?;
        }
        ScreenForm::Ansi => output::print_bytes(&answer.body)?,
    }
    Ok(Exit::Success)
}
