//! Tables of text.

use crate::escape::Escaped;

/// Most characters of a command or a title in a table.
const TEXT_CHARS_MAX: usize = 60;

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
