//! `GET /api/sessions/{id}/screen` and `/scrollback`: what a viewer would see.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hither_screen::{Line, Screen, SnapshotLimits};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::Access;
use super::app::App;
use super::cells::{CursorJson, LineJson, ModesJson};
use super::handle::level;
use super::problem::Problem;
use super::query::QueryOf;
use super::session_routes::IdInPath;
use crate::sessions::Look;

/// Most lines of scrollback in one answer.
const LINES_MAX: usize = 1000;
/// Lines of scrollback in an answer when nothing is said.
const LINES_DEFAULT: usize = 100;
/// Where in the output an answer belongs.
pub(crate) const OFFSET: HeaderName = HeaderName::from_static("hither-offset");

/// How a screen is asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScreenQuery {
    /// The form of the answer.
    #[serde(default)]
    format: Format,
}

/// How scrollback is asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScrollbackQuery {
    /// Number of the first line, 0 being the oldest that is kept; absent: the last lines.
    from: Option<u32>,
    /// Most lines in the answer; 100 if absent.
    #[schemars(range(min = 1, max = 1000))]
    count: Option<u32>,
    /// The form of the answer.
    #[serde(default)]
    format: LinesFormat,
}

/// The form of a screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// JSON with a text for each row.
    #[default]
    Json,
    /// JSON that says also how each character looks.
    Cells,
    /// Plain text.
    Text,
    /// Bytes that draw the screen in a terminal that was just reset.
    Ansi,
}

/// The form of scrollback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LinesFormat {
    /// JSON with a text for each line.
    #[default]
    Json,
    /// JSON that says also how each character looks.
    Cells,
    /// Plain text.
    Text,
}

/// A screen.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Screen")]
pub(crate) struct ScreenJson {
    /// The output up to this offset has been shown.
    offset: u64,
    /// Columns.
    cols: u16,
    /// Rows.
    rows: u16,
    /// The title: a text, never markup.
    title: String,
    /// Where the cursor is.
    cursor: CursorJson,
    /// Whether a full-screen program is shown, which has no scrollback.
    alternate: bool,
    /// What the program has asked of the terminal.
    modes: ModesJson,
    /// Lines above the screen.
    scrollback_lines: usize,
    /// The text of each row, without blanks at its end.
    lines: Vec<String>,
    /// How each row looks; with `format=cells`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cells: Option<Vec<LineJson>>,
}

/// Lines above the screen.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Scrollback")]
pub(crate) struct ScrollbackJson {
    /// The output up to this offset has been shown.
    offset: u64,
    /// Lines above the screen that are kept.
    total: usize,
    /// Number of the first line in this answer, 0 being the oldest.
    from: usize,
    /// The text of each line, without blanks at its end.
    lines: Vec<String>,
    /// How each line looks; with `format=cells`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cells: Option<Vec<LineJson>>,
}

/// `GET /api/sessions/{id}/screen`
pub(crate) async fn screen(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
    QueryOf(query): QueryOf<ScreenQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Look { offset, screen } = app.session(access.principal(), id, level::Read)?.look(0).await?;
    let size = screen.size();
    let tag = format!("\"{offset}-{size}-{:?}\"", query.format).to_ascii_lowercase();
    let body = match query.format {
        Format::Json => Json(screen_json(offset.0, &screen, false)).into_response(),
        Format::Cells => Json(screen_json(offset.0, &screen, true)).into_response(),
        Format::Text => text(screen.text()),
        Format::Ansi => {
            ([(CONTENT_TYPE, "application/octet-stream")], ansi(&screen)).into_response()
        }
    };
    let unchanged =
        headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if unchanged { StatusCode::NOT_MODIFIED.into_response() } else { body };
    let tag = HeaderValue::from_str(&tag).expect("numbers and words are ASCII");
    let own = response.headers_mut();
    own.insert(OFFSET, offset.0.into());
    own.insert(ETAG, tag);
    // A cache may keep it if it asks each time.
    own.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}

/// `GET /api/sessions/{id}/scrollback`
pub(crate) async fn scrollback(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
    QueryOf(query): QueryOf<ScrollbackQuery>,
) -> Result<Response, Problem> {
    let count = query.count.map_or(LINES_DEFAULT, |count| usize::try_from(count).unwrap_or(0));
    if !(1..=LINES_MAX).contains(&count) {
        let detail = format!("count must be 1 to {LINES_MAX}");
        return Err(Problem::bad_request("invalid_query", detail));
    }
    let Look { offset, screen } =
        app.session(access.principal(), id, level::Read)?.look(usize::MAX).await?;
    let total = screen.scrollback_lines();
    let from = match query.from {
        Some(from) => usize::try_from(from).unwrap_or(usize::MAX).min(total),
        None => total.saturating_sub(count),
    };
    let lines: Vec<Line> =
        (from..total).take(count).map(|index| screen.scrollback_line(index)).collect();
    let texts: Vec<String> = lines.iter().map(Line::text).collect();
    let mut response = if query.format == LinesFormat::Text {
        text(texts.join("\n"))
    } else {
        let cells = (query.format == LinesFormat::Cells)
            .then(|| lines.into_iter().map(LineJson::from).collect());
        let offset = offset.0;
        Json(ScrollbackJson { offset, total, from, lines: texts, cells }).into_response()
    };
    response.headers_mut().insert(OFFSET, offset.0.into());
    Ok(response)
}

fn screen_json(offset: u64, screen: &Screen, with_cells: bool) -> ScreenJson {
    let size = screen.size();
    let lines: Vec<Line> = (0..size.rows()).map(|row| screen.line(row)).collect();
    ScreenJson {
        offset,
        cols: size.cols(),
        rows: size.rows(),
        title: screen.title().to_owned(),
        cursor: CursorJson::of(screen),
        alternate: screen.active_buffer() == hither_screen::BufferKind::Alternate,
        modes: ModesJson::from(screen.modes()),
        scrollback_lines: screen.scrollback_lines(),
        lines: lines.iter().map(Line::text).collect(),
        cells: with_cells.then(|| lines.into_iter().map(LineJson::from).collect()),
    }
}

fn ansi(screen: &Screen) -> Vec<u8> {
    screen.snapshot(SnapshotLimits { scrollback_lines_max: 0, ..SnapshotLimits::default() })
}

fn text(text: String) -> Response {
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
