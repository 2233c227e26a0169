//! Pure server-side terminal: feed, resize, snapshot, text, answers to queries.
//!
//! [`Screen`] is a whole terminal; [`Scanner`] looks at output as it passes and notices what the
//! gateway has to know at once; [`find_skip`] and [`Screen::skip_plain`] bring a screen over a flood
//! of plain text without emulating it.
//!
//! # The laws
//! * Feeding [`Screen::snapshot`] into a fresh screen gives an equal screen.
//! * Feeding it into xterm.js 6.0 gives what feeding the whole stream gives.
//! * Skipping plain output that has scrolled away gives what feeding it gives.
//!
//! The tests in `tests/` hold them against random control functions and recorded programs;
//! `EXCEPTIONS.md` lists what they do not cover.
#![forbid(unsafe_code)]

mod buffer;
mod cell;
mod charset;
mod modes;
mod palette;
mod params;
mod parser;
mod pen;
mod pool;
mod reflow;
mod row;
mod scanner;
mod screen;
mod skip;
mod snapshot;
mod state;
mod tabs;
mod terminal;
mod title;
mod utf8;
mod width;

pub use cell::{Attributes, Color, Underline};
pub use charset::Charset;
pub use modes::{CursorShape, Modes, Mouse, MouseEncoding, MouseProtocol};
pub use palette::{Rgb, Theme};
pub use pool::Hyperlink;
pub use scanner::{Notice, QueryKind, Scanner};
pub use screen::Screen;
pub use skip::find_skip;
pub use snapshot::SnapshotLimits;
pub use state::{BufferState, CellStyle, Cursor, Line, SavedState, ScreenState, StyledCell};
pub use terminal::BufferKind;
pub use title::{TITLE_CHARS_MAX, sanitize_title};
