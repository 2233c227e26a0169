//! The terminal that the parser drives: two buffers, a pen, modes.
//!
//! It does what xterm.js 6.0 does with its default options, because that is what the person looks
//! at: where terminals differ, a screen that is right by some other terminal's rules would be
//! wrong on the page. The few places where it does not follow are in `EXCEPTIONS.md`.

mod cursor;
mod dispatch;
mod edit;
mod modes;
mod osc;
mod print;
mod replies;

use hither_core::WindowSize;

use crate::buffer::Buffer;
use crate::cell::{Color, Glyph, Style};
use crate::charset::{Charset, Charsets};
use crate::modes::Modes;
use crate::palette::{Palette, Theme};
use crate::pen::Pen;
use crate::pool::{Pool, Renumbered};
use crate::width::Preceding;

/// Which buffer is on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BufferKind {
    /// The one with scrollback.
    #[default]
    Normal,
    /// The one of full-screen programs, without scrollback.
    Alternate,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Terminal {
    pub(crate) normal: Buffer,
    pub(crate) alternate: Buffer,
    pub(crate) active: BufferKind,
    pub(crate) pen: Pen,
    pub(crate) pool: Pool,
    pub(crate) modes: Modes,
    pub(crate) charsets: Charsets,
    pub(crate) palette: Palette,
    pub(crate) theme: Theme,
    pub(crate) title: String,
    /// What the last character left behind, unless something else came since.
    pub(crate) preceding: Option<Preceding>,
    pub(crate) replies: Vec<u8>,
}

impl Terminal {
    pub(crate) fn new(size: WindowSize, scrollback_max: usize) -> Self {
        let (cols, rows) = (usize::from(size.cols()), usize::from(size.rows()));
        Self {
            normal: Buffer::new(cols, rows, scrollback_max),
            alternate: Buffer::new(cols, rows, 0),
            active: BufferKind::Normal,
            pen: Pen::default(),
            pool: Pool::default(),
            modes: Modes::default(),
            charsets: Charsets::default(),
            palette: Palette::default(),
            theme: Theme::default(),
            title: String::new(),
            preceding: None,
            replies: Vec::new(),
        }
    }

    /// A copy with at most so many lines of scrollback, and without replies.
    pub(crate) fn cropped(&self, scrollback_lines_max: usize) -> Self {
        Self {
            normal: self.normal.cropped(scrollback_lines_max),
            alternate: self.alternate.clone(),
            active: self.active,
            pen: self.pen.clone(),
            pool: self.pool.clone(),
            modes: self.modes,
            charsets: self.charsets,
            palette: self.palette.clone(),
            theme: self.theme.clone(),
            title: self.title.clone(),
            preceding: self.preceding,
            replies: Vec::new(),
        }
    }

    pub(crate) const fn buffer(&self) -> &Buffer {
        match self.active {
            BufferKind::Normal => &self.normal,
            BufferKind::Alternate => &self.alternate,
        }
    }

    pub(crate) const fn buffer_mut(&mut self) -> &mut Buffer {
        match self.active {
            BufferKind::Normal => &mut self.normal,
            BufferKind::Alternate => &mut self.alternate,
        }
    }

    pub(crate) const fn cols(&self) -> usize {
        self.normal.cols
    }

    pub(crate) const fn rows(&self) -> usize {
        self.normal.rows
    }

    pub(crate) const fn bg(&self) -> Color {
        self.pen.bg()
    }

    /// The style for the next character.
    pub(crate) fn style(&mut self) -> Style {
        if self.pool.wants_collection() {
            self.collect_pool();
        }
        self.pen.style(&mut self.pool)
    }

    /// Resizes both buffers; the normal one reflows its wrapped lines.
    pub(crate) fn resize(&mut self, size: WindowSize) {
        let (cols, rows) = (usize::from(size.cols()), usize::from(size.rows()));
        self.normal.resize_with_reflow(cols, rows);
        self.alternate.resize(cols, rows);
        // The cell before the cursor is another one now.
        self.preceding = None;
    }

    /// RIS. Cursor visibility, colours and title outlive it, as they do on the page.
    fn reset(&mut self) {
        let (cols, rows) = (self.cols(), self.rows());
        self.normal = Buffer::new(cols, rows, self.normal.scrollback_max);
        self.alternate = Buffer::new(cols, rows, 0);
        self.active = BufferKind::Normal;
        self.pen = Pen::default();
        self.modes = self.modes.after_reset();
        self.modes.mouse = crate::modes::Mouse::default();
        self.charsets = Charsets::default();
        self.preceding = None;
    }

    /// DECSTR.
    fn soft_reset(&mut self) {
        let rows = self.rows();
        let mouse = self.modes.mouse;
        self.modes = self.modes.after_reset();
        self.modes.mouse = mouse;
        self.modes.cursor_visible = true;
        self.pen = Pen::default();
        self.charsets = Charsets::default();
        let buffer = self.buffer_mut();
        (buffer.top, buffer.bottom) = (0, rows - 1);
        buffer.saved = crate::buffer::SavedCursor { line: buffer.base(), ..Default::default() };
    }

    fn collect_pool(&mut self) {
        let mut live = self.pool.nothing_live();
        for cell in self.cells() {
            live.mark_extra(cell.style.extra);
            if let Some(id) = cell.glyph.as_cluster() {
                live.mark_cluster(id);
            }
        }
        let renumbered = self.pool.retain(&live);
        self.renumber(&renumbered);
        self.pen.forget_numbers();
    }

    fn cells(&self) -> impl Iterator<Item = &crate::cell::Cell> {
        let lines = self.normal.lines.iter().chain(&self.alternate.lines);
        lines.flat_map(|row| row.stored())
    }

    fn renumber(&mut self, renumbered: &Renumbered) {
        for row in self.normal.lines.iter_mut().chain(&mut self.alternate.lines) {
            for cell in row.stored_mut() {
                cell.style.extra = renumbered.extra(cell.style.extra);
                if let Some(id) = cell.glyph.as_cluster() {
                    cell.glyph = Glyph::cluster(renumbered.cluster(id), cell.width());
                }
            }
        }
    }

    /// DECALN: a screen full of E.
    fn fill_with_e(&mut self) {
        let mut style = self.style();
        style.extra = crate::cell::ExtraId::default();
        style.attributes = style.attributes.with_underline(crate::cell::Underline::None);
        self.set_cursor(0, 0);
        let cell = crate::cell::Cell { glyph: Glyph::ascii(b'E'), style };
        let (cols, buffer) = (self.cols(), self.buffer_mut());
        // With an origin below the top, the rows are counted from there.
        for y in buffer.y..buffer.rows {
            buffer.row_mut(y).reset(cols, cell, false);
        }
        self.set_cursor(0, 0);
    }

    fn designate(&mut self, slot: usize, byte: u8) {
        if let Some(charset) = Charset::from_final(byte) {
            self.charsets.designate(slot, charset);
        }
    }
}
