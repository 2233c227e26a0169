//! The terminal that the parser drives: two buffers, a pen, modes.
//!
//! It does what xterm.js 6.0 does with its default options, because that is what the person looks
//! at: where terminals differ, a screen that is right by some other terminal's rules would be
//! wrong on the page. The few places where it does not follow are in `EXCEPTIONS.md`.

mod cursor;
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
use crate::params::Params;
use crate::parser::{Collected, Perform, Text};
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
        buffer.saved = crate::buffer::SavedCursor {
            line: buffer.base(),
            ..Default::default()
        };
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
        for row in self
            .normal
            .lines
            .iter_mut()
            .chain(&mut self.alternate.lines)
        {
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
        style.attributes = style
            .attributes
            .with_underline(crate::cell::Underline::None);
        self.set_cursor(0, 0);
        let cell = crate::cell::Cell {
            glyph: Glyph::ascii(b'E'),
            style,
        };
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

impl Perform for Terminal {
    fn print_ascii(&mut self, text: &[u8]) {
        self.write_ascii(text);
    }

    fn print(&mut self, ch: char) {
        self.write_char(ch);
    }

    fn execute(&mut self, code: u8) {
        match code {
            0x08 => self.backspace(),
            0x09 => self.tab(),
            0x0a..=0x0c => self.line_feed(),
            0x0d => self.buffer_mut().x = 0,
            0x0e => self.charsets.shift(1),
            0x0f => self.charsets.shift(0),
            0x84 => self.index(),
            0x85 => self.next_line(),
            0x88 => self.set_tab(),
            _ => {}
        }
        self.preceding = None;
    }

    fn csi(&mut self, collected: Collected, byte: u8, params: &Params) {
        match collected {
            0 => self.csi_plain(byte, params),
            QUESTION => self.csi_private(byte, params),
            GREATER => self.csi_greater(byte, params),
            _ => self.csi_intermediate(collected, byte, params),
        }
        self.preceding = None;
    }

    fn esc(&mut self, collected: Collected, byte: u8) {
        match (collected, byte) {
            (0, _) => self.esc_plain(byte),
            (HASH, b'8') => self.fill_with_e(),
            (PERCENT, b'@' | b'G') => {
                self.charsets.shift(0);
                self.charsets.designate(0, Charset::Ascii);
            }
            (PAREN_OPEN, _) => self.designate(0, byte),
            (PAREN_CLOSE | MINUS, _) => self.designate(1, byte),
            (STAR | DOT, _) => self.designate(2, byte),
            (PLUS, _) => self.designate(3, byte),
            _ => {}
        }
        self.preceding = None;
    }

    fn osc(&mut self, number: u32, text: &Text<'_>) {
        self.operating_system_command(number, text);
    }

    fn dcs(&mut self, collected: Collected, byte: u8, text: &Text<'_>) {
        if collected == DOLLAR && byte == b'q' {
            self.report_setting(text);
        }
    }

    fn string_ended(&mut self) {
        self.preceding = None;
    }
}

const SPACE: Collected = b' ' as Collected;
const BANG: Collected = b'!' as Collected;
const QUOTE: Collected = b'"' as Collected;
const HASH: Collected = b'#' as Collected;
const DOLLAR: Collected = b'$' as Collected;
const PERCENT: Collected = b'%' as Collected;
const APOSTROPHE: Collected = b'\'' as Collected;
const PAREN_OPEN: Collected = b'(' as Collected;
const PAREN_CLOSE: Collected = b')' as Collected;
const STAR: Collected = b'*' as Collected;
const PLUS: Collected = b'+' as Collected;
const MINUS: Collected = b'-' as Collected;
const DOT: Collected = b'.' as Collected;
const GREATER: Collected = b'>' as Collected;
const QUESTION: Collected = b'?' as Collected;
const QUESTION_DOLLAR: Collected = QUESTION << 8 | DOLLAR;

impl Terminal {
    fn esc_plain(&mut self, byte: u8) {
        match byte {
            b'7' => self.save_cursor(),
            b'8' => self.restore_cursor(),
            b'D' => self.index(),
            b'E' => self.next_line(),
            b'H' => self.set_tab(),
            b'M' => self.reverse_index(),
            b'=' => self.modes.application_keypad = true,
            b'>' => self.modes.application_keypad = false,
            b'c' => self.reset(),
            b'n' | b'}' => self.charsets.shift(2),
            b'o' | b'|' => self.charsets.shift(3),
            b'~' => self.charsets.shift(1),
            _ => {}
        }
    }

    fn csi_plain(&mut self, byte: u8, params: &Params) {
        match byte {
            b'A'..=b'I' | b'Z' | b'`' | b'a' | b'd' | b'e' | b'f' | b'r' | b's' | b'u' | b'g' => {
                self.csi_cursor(byte, params);
            }
            b'@' | b'J'..=b'M' | b'P' | b'S' | b'T' | b'X' => self.csi_edit(byte, params),
            b'b' => self.repeat(params.count(0)),
            b'c' | b'n' | b't' => self.csi_report(byte, params),
            b'h' => params
                .values()
                .iter()
                .for_each(|&mode| self.set_ansi_mode(mode, true)),
            b'l' => params
                .values()
                .iter()
                .for_each(|&mode| self.set_ansi_mode(mode, false)),
            b'm' => self.pen.select(params),
            _ => {}
        }
    }

    fn csi_private(&mut self, byte: u8, params: &Params) {
        match byte {
            b'J' => self.erase_in_display(params.value(0), crate::row::Protection::Respected),
            b'K' => self.erase_in_line(params.value(0), crate::row::Protection::Respected),
            b'h' => params
                .values()
                .iter()
                .for_each(|&mode| self.set_private_mode(mode)),
            b'l' => params
                .values()
                .iter()
                .for_each(|&mode| self.reset_private_mode(mode)),
            b'n' => self.report_private_status(params.value(0)),
            _ => {}
        }
    }

    fn csi_greater(&mut self, byte: u8, params: &Params) {
        match byte {
            b'c' => self.report_secondary_attributes(params.value(0)),
            b'q' => self.report_version(params.value(0)),
            _ => {}
        }
    }

    fn csi_intermediate(&mut self, collected: Collected, byte: u8, params: &Params) {
        match (collected, byte) {
            (SPACE, b'@') => self.scroll_left(params.count(0)),
            (SPACE, b'A') => self.scroll_right(params.count(0)),
            (SPACE, b'q') => self.modes.set_cursor_shape(params.value(0)),
            (BANG, b'p') => self.soft_reset(),
            (QUOTE, b'q') => self.pen.set_protected(params.value(0)),
            (APOSTROPHE, b'}') => self.insert_columns(params.count(0)),
            (APOSTROPHE, b'~') => self.delete_columns(params.count(0)),
            (DOLLAR, b'p') => self.report_ansi_mode(params.value(0)),
            (QUESTION_DOLLAR, b'p') => self.report_private_mode(params.value(0)),
            _ => {}
        }
    }
}
