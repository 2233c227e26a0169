//! Tables of text.

use serde_json::Value;

use crate::escape::{Escaped, json_escaped};
use crate::failure::Failure;
use crate::gateway::GatewayError;
use crate::output;

/// Most characters of a command or a title in a table.
const TEXT_CHARS_MAX: usize = 60;

/// Prints what the gateway has answered, for programs.
pub(super) fn print_json(answer: &Value) -> Result<(), Failure> {
    let pretty = serde_json::to_string_pretty(answer);
    let pretty = pretty.map_err(|err| GatewayError::BadAnswer(err.to_string()))?;
    output::print(&format!("{}\n", json_escaped(&pretty)))
}

/// The lines of [`columns`] as one text.
pub(super) fn table<const N: usize>(
    headings: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let lines = columns(headings.map(str::to_owned), rows);
    lines.into_iter().map(|line| line + "\n").collect()
}

/// A line for each row below a line of headings, in columns.
pub(super) fn columns<const N: usize>(
    headings: [String; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Vec<String> {
    let rows: Vec<[String; N]> = std::iter::once(headings).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths);
        let padded: Vec<String> = cells.map(|(cell, width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// A text from the gateway, escaped and not longer than a table bears.
pub(super) fn shown(text: &str) -> String {
    let short: String = text.chars().take(TEXT_CHARS_MAX).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{}{more}", Escaped(&short))
}
