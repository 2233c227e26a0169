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
//!
//! # Checkpoints
//! A session keeps no live screen but a checkpoint, the snapshot at some offset, and the output
//! since. This is how the checkpoint is moved before the ring writes over what follows it:
//!
//! ```
//! use hither_core::WindowSize;
//! use hither_screen::{Scanner, Screen, SnapshotLimits, find_skip};
//!
//! let (size, scrollback) = (WindowSize::DEFAULT, 1000);
//! let limits = SnapshotLimits { scrollback_lines_max: 0, ..SnapshotLimits::default() };
//! let log = b"\x1b[31mtext\x1b[0m\r\n".repeat(10_000); // the ring: up to two slices
//! let mut checkpoint = (Screen::new(size, scrollback).snapshot(limits), 0); // bytes, offset
//! let mut scanner = Scanner::new();
//! scanner.scan(&log, &mut |_notice| {});
//!
//! // The output up to where it became plain is fed, if the checkpoint is older than that.
//! let plain_since = usize::try_from(scanner.plain_since())?.max(checkpoint.1);
//! let mut screen = Screen::new(size, scrollback);
//! screen.feed(&checkpoint.0);
//! screen.feed(&log[checkpoint.1..plain_since]);
//! // The plain part is skipped as far as possible; where it cannot be, it is fed.
//! let plain = &log[plain_since..];
//! let skip = if screen.may_skip() { find_skip(&[plain], size, scrollback) } else { None };
//! match skip {
//!     Some(end) => {
//!         screen.skip_plain(&[&plain[..end]]);
//!         checkpoint = (screen.snapshot(limits), plain_since + end);
//!     }
//!     None => {
//!         screen.feed(plain);
//!         checkpoint = (screen.snapshot(limits), log.len());
//!     }
//! }
//!
//! // Whoever wants the screen: checkpoint and everything behind it.
//! let mut now = Screen::new(size, scrollback);
//! now.feed(&checkpoint.0);
//! now.feed(&log[checkpoint.1..]);
//! assert!(now.text().starts_with("text\ntext"));
//! # Ok::<(), std::num::TryFromIntError>(())
//! ```
//!
//! A checkpoint after a skip is true only together with the output behind it, down to the one that
//! [`find_skip`] saw; it must not be shown by itself.
#![forbid(unsafe_code)]

mod buffer;
mod cell;
mod charset;
mod keys;
mod modes;
mod palette;
mod params;
mod parser;
mod pen;
mod plain_text;
mod pool;
mod reflow;
mod row;
mod scanner;
mod screen;
mod shell;
mod skip;
mod snapshot;
mod state;
mod stops;
mod tabs;
mod terminal;
mod title;
mod utf8;
mod width;

pub use cell::{Attributes, Color, Underline};
pub use charset::Charset;
pub use keys::{InvalidKey, Key, encode_paste};
pub use modes::{CursorShape, Modes, Mouse, MouseEncoding, MouseProtocol};
pub use palette::{Rgb, Theme};
pub use plain_text::PlainText;
pub use pool::Hyperlink;
pub use scanner::{Notice, QueryKind, Scanner};
pub use screen::Screen;
pub use shell::Directory;
pub use skip::find_skip;
pub use snapshot::SnapshotLimits;
pub use state::{BufferState, CellStyle, Cursor, Line, SavedState, ScreenState, StyledCell};
pub use terminal::BufferKind;
pub use title::{TITLE_CHARS_MAX, sanitize_title};
