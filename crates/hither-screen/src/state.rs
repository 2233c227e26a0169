//! Everything a screen knows, in a form that can be compared and shown.

use std::sync::Arc;

use hither_core::WindowSize;

use crate::buffer::Buffer;
use crate::cell::{Attributes, Cell, Color, Style};
use crate::charset::Charset;
use crate::modes::Modes;
use crate::pool::{Hyperlink, Pool};
use crate::row::Row;
use crate::terminal::{BufferKind, Terminal};

/// Where the cursor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Column from 0; equal to the number of columns when the line is full and the next character
    /// will wrap.
    pub col: u16,
    /// Row of the screen from 0.
    pub row: u16,
}

/// How a character looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CellStyle {
    /// Colour of the text.
    pub fg: Color,
    /// Colour behind it.
    pub bg: Color,
    /// Colour of the underline; default: that of the text.
    pub underline_color: Color,
    /// Bold, italic, underline and so on.
    pub attributes: Attributes,
    /// Where it leads.
    pub link: Option<Arc<Hyperlink>>,
}

/// A character with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StyledCell {
    /// The character with its marks; empty where nothing was printed.
    pub text: String,
    /// Columns: 1, 2, or 0 for the second column of a wide character.
    pub width: u8,
    /// How it looks.
    pub style: CellStyle,
}

/// A line of cells, without the untouched ones at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// From the first column.
    pub cells: Vec<StyledCell>,
    /// Whether it continues the line above.
    pub wrapped: bool,
}

impl Line {
    /// The text, without blanks at its end.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for cell in &self.cells {
            match cell.width {
                0 => {}
                _ if cell.text.is_empty() => text.push(' '),
                _ => text.push_str(&cell.text),
            }
        }
        text.truncate(text.trim_end_matches(' ').len());
        text
    }
}

/// What DECSC saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedState {
    /// Where DECRC would go.
    pub cursor: Cursor,
    /// The pen, without underline colour and hyperlink, which are not saved.
    pub pen: CellStyle,
    /// The character set in use.
    pub charset: Charset,
}

/// One of the two buffers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BufferState {
    /// Scrollback and screen, oldest line first.
    pub lines: Vec<Line>,
    /// How many of them are scrollback.
    pub scrollback_lines: usize,
    /// First and last row of the scroll region, from 0.
    pub scroll_region: (u16, u16),
    /// Columns with a tab stop, from 0.
    pub tab_stops: Vec<u16>,
    /// What DECSC saved.
    pub saved: SavedState,
}

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScreenState {
    /// Size of the window.
    pub size: WindowSize,
    /// Which buffer is shown.
    pub active: BufferKind,
    /// The buffer with scrollback.
    pub normal: BufferState,
    /// The buffer of full-screen programs.
    pub alternate: BufferState,
    /// The cursor of the buffer that is shown.
    pub cursor: Cursor,
    /// What the next character will look like.
    pub pen: CellStyle,
    /// Modes in force.
    pub modes: Modes,
    /// The designated character sets G0 to G3, the one shifted in, and the one in use.
    pub charsets: ([Charset; 4], usize, Charset),
    /// Colours that programs have set: the sequence's number, red, green, blue.
    pub palette: Vec<(String, crate::palette::Rgb)>,
    /// The sanitised title.
    pub title: String,
    /// Bytes of a control sequence or character that is not complete.
    pub pending: Vec<u8>,
    /// Whether the next character may join the last one.
    pub joinable: bool,
}

pub(crate) fn cursor(terminal: &Terminal) -> Cursor {
    let buffer = terminal.buffer();
    Cursor { col: narrow(buffer.x), row: narrow(buffer.y) }
}

pub(crate) fn of(terminal: &Terminal, size: WindowSize, pending: Vec<u8>) -> ScreenState {
    let (pen, extra) = (terminal.pen.save(), terminal.pen.extra());
    let charsets = terminal.charsets;
    ScreenState {
        size,
        active: terminal.active,
        normal: buffer_state(&terminal.normal, &terminal.pool),
        alternate: buffer_state(&terminal.alternate, &terminal.pool),
        cursor: cursor(terminal),
        pen: CellStyle {
            fg: pen.fg,
            bg: pen.bg,
            underline_color: extra.underline_color,
            attributes: pen.attributes,
            link: extra.link,
        },
        modes: terminal.modes,
        charsets: (charsets.designated, charsets.level, charsets.active),
        palette: terminal.palette.iter().map(|(slot, rgb)| (slot.number(), rgb)).collect(),
        title: terminal.title.clone(),
        pending,
        joinable: terminal.preceding.is_some(),
    }
}

fn buffer_state(buffer: &Buffer, pool: &Pool) -> BufferState {
    let mut lines: Vec<Line> = buffer.lines.iter().map(|row| line(row, pool)).collect();
    // The line that the oldest one continues is gone.
    if let Some(oldest) = lines.first_mut() {
        oldest.wrapped = false;
    }
    let pen = buffer.saved.pen;
    BufferState {
        lines,
        scrollback_lines: buffer.base(),
        scroll_region: (narrow(buffer.top), narrow(buffer.bottom)),
        tab_stops: buffer.tabs.iter(buffer.cols).map(narrow).collect(),
        saved: SavedState {
            cursor: Cursor {
                col: narrow(buffer.saved.x.min(buffer.cols - 1)),
                row: narrow(buffer.saved_row().min(buffer.rows - 1)),
            },
            pen: CellStyle {
                fg: pen.fg,
                bg: pen.bg,
                attributes: pen.attributes,
                ..CellStyle::default()
            },
            charset: buffer.saved.charset,
        },
    }
}

/// The cells of a row, up to the last one that differs from a fresh one.
pub(crate) fn line(row: &Row, pool: &Pool) -> Line {
    let mut cells = Vec::new();
    let mut wide = false;
    for &cell in &row.stored()[..row.used_len()] {
        cells.push(styled(cell, wide, pool));
        wide = cell.width() == 2;
    }
    Line { cells, wrapped: row.wrapped }
}

/// A second column without its first is just an empty cell.
fn styled(cell: Cell, after_wide: bool, pool: &Pool) -> StyledCell {
    let text = match (cell.glyph.as_cluster(), cell.glyph.as_char()) {
        (Some(id), _) => pool.cluster(id).to_owned(),
        (None, Some(ch)) => ch.to_string(),
        (None, None) => String::new(),
    };
    let width = if cell.is_orphan() && !after_wide { 1 } else { cell.width() };
    StyledCell { text, width, style: cell_style(cell.style, pool) }
}

fn cell_style(style: Style, pool: &Pool) -> CellStyle {
    let extra = pool.extra(style.extra);
    CellStyle {
        fg: style.fg,
        bg: style.bg,
        underline_color: extra.underline_color,
        attributes: style.attributes,
        link: extra.link,
    }
}

/// Columns and rows are at most 1,000.
fn narrow(value: usize) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}
