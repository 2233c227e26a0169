//! The screen of a session.

use std::fmt;

use hither_core::WindowSize;

use crate::modes::Modes;
use crate::palette::Theme;
use crate::parser::Parser;
use crate::snapshot::{self, SnapshotLimits};
use crate::state::{self, Cursor, Line, ScreenState};
use crate::terminal::{BufferKind, Terminal};

/// Server-side terminal: what a viewer of the session would see.
///
/// It takes any bytes in any pieces and never panics; memory is bounded by the window size, the
/// scrollback and fixed limits for everything else. An empty one costs a few KiB, one of 80 × 24
/// with text about 40 KiB, and each line of scrollback 16 bytes per character.
#[derive(Clone)]
pub struct Screen {
    size: WindowSize,
    terminal: Terminal,
    parser: Parser,
}

impl Screen {
    /// An empty screen that keeps at most `scrollback_lines_max` lines above it.
    #[must_use]
    pub fn new(size: WindowSize, scrollback_lines_max: usize) -> Self {
        Self {
            size,
            terminal: Terminal::new(size, scrollback_lines_max),
            parser: Parser::default(),
        }
    }

    /// Takes output of the session. The pieces may be cut anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.parser.feed(bytes, &mut self.terminal);
    }

    /// Changes the window size. Wrapped lines of the normal buffer are laid out anew, except the
    /// one with the cursor, which the program draws again.
    pub fn resize(&mut self, size: WindowSize) {
        if size != self.size {
            self.size = size;
            self.terminal.resize(size);
        }
    }

    /// The window size.
    #[must_use]
    pub const fn size(&self) -> WindowSize {
        self.size
    }

    /// Sets the colours that are reported where the program has set none.
    pub fn set_theme(&mut self, theme: Theme) {
        self.terminal.theme = theme;
    }

    /// The bytes that rebuild this screen in a terminal of [`Screen::size`] that was just reset:
    /// text with its styles and links, scrollback, both buffers, cursor, modes, scroll region, tab
    /// stops, character sets, title, palette, and the start of a sequence that is not complete.
    /// There is no query among them.
    #[must_use]
    pub fn snapshot(&self, limits: SnapshotLimits) -> Vec<u8> {
        snapshot::write(&self.terminal, &self.parser, limits)
    }

    /// Answers to the queries fed since the last call, to be written to the PTY: those of the
    /// page's terminal. Nothing in them was chosen by the program. At most 4 KiB are kept;
    /// answers beyond are not given.
    #[must_use]
    pub fn take_replies(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.terminal.replies)
    }

    /// The title, without control characters and bidirectional controls, at most 256 characters.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.terminal.title
    }

    /// The rows of the screen as text, without blanks at their ends, separated by `\n`.
    #[must_use]
    pub fn text(&self) -> String {
        let rows: Vec<String> = (0..self.size.rows()).map(|row| self.line(row).text()).collect();
        rows.join("\n")
    }

    /// Where the cursor is.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        state::cursor(&self.terminal)
    }

    /// The modes in force.
    #[must_use]
    pub const fn modes(&self) -> &Modes {
        &self.terminal.modes
    }

    /// Which buffer is shown.
    #[must_use]
    pub const fn active_buffer(&self) -> BufferKind {
        self.terminal.active
    }

    /// The cells of a row of the screen, without the untouched ones at its end; empty for a row
    /// that does not exist.
    #[must_use]
    pub fn line(&self, row: u16) -> Line {
        if row >= self.size.rows() {
            return Line::default();
        }
        state::line(self.terminal.buffer().row(usize::from(row)), &self.terminal.pool)
    }

    /// How many lines of scrollback there are.
    #[must_use]
    pub fn scrollback_lines(&self) -> usize {
        self.terminal.normal.base()
    }

    /// The cells of a line of the scrollback, 0 being the oldest; empty for one that does not exist.
    #[must_use]
    pub fn scrollback_line(&self, index: usize) -> Line {
        if index >= self.scrollback_lines() {
            return Line::default();
        }
        state::line(&self.terminal.normal.lines[index], &self.terminal.pool)
    }

    /// A copy with at most so many lines of scrollback, the newest ones.
    #[must_use]
    pub fn cropped(&self, scrollback_lines_max: usize) -> Self {
        Self {
            size: self.size,
            terminal: self.terminal.cropped(scrollback_lines_max),
            parser: self.parser.clone(),
        }
    }

    /// Everything, for comparison.
    #[must_use]
    pub fn state(&self) -> ScreenState {
        let mut pending = Vec::new();
        self.parser.write_pending(&mut pending);
        state::of(&self.terminal, self.size, pending)
    }

    pub(crate) const fn terminal(&self) -> &Terminal {
        &self.terminal
    }

    pub(crate) const fn terminal_mut(&mut self) -> &mut Terminal {
        &mut self.terminal
    }

    pub(crate) fn is_between_sequences(&self) -> bool {
        self.parser.is_ground()
    }
}

impl PartialEq for Screen {
    fn eq(&self, other: &Self) -> bool {
        self.state() == other.state()
    }
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen")
            .field("size", &self.size)
            .field("cursor", &self.cursor())
            .field("scrollback_lines", &self.scrollback_lines())
            .finish_non_exhaustive()
    }
}
