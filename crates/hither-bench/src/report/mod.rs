//! What was measured, and how it is shown: as a table, as JSON, as one HTML page.

mod format;
mod html;
mod json;
mod model;
mod svg;
mod table;

pub(crate) use format::show;
pub use html::render as render_html;
pub use json::render as render_json;
pub use model::{
    Better, Host, Metric, Outcome, Report, ScenarioReport, Series, TargetReport, Unit, Verdict,
};
pub use table::render as render_table;
