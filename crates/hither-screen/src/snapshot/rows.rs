//! Lines of cells as text and control functions.

use super::style::write_sgr;
use crate::cell::{Cell, Color, Glyph, Style};
use crate::pool::{Extra, Pool};
use crate::row::Row;
use crate::width::{Preceding, measure};

/// A character that never fits into the last column: it wraps and leaves that cell empty.
const WIDE_SPACE: &str = "\u{3000}";

/// Writes lines from top to bottom onto blank ones, keeping track of style and column.
pub(super) struct RowWriter<'a> {
    pub(super) out: Vec<u8>,
    /// Leave out colours and hyperlinks.
    pub(super) plain: bool,
    pool: &'a Pool,
    cols: usize,
    /// Column of the cursor; `cols` after the last one was printed.
    x: usize,
    style: Option<Style>,
    extra: Extra,
    /// Both together as the cell has them, when they came from a cell.
    whole: Option<Style>,
    preceding: Option<Preceding>,
}

impl<'a> RowWriter<'a> {
    pub(super) fn new(pool: &'a Pool, cols: usize) -> Self {
        Self {
            out: Vec::with_capacity(4096),
            plain: false,
            pool,
            cols,
            x: 0,
            style: Some(Style::default()),
            extra: Extra::default(),
            whole: None,
            preceding: None,
        }
    }

    /// Appends a control function.
    pub(super) fn escape(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
        self.preceding = None;
    }

    /// The cursor was placed in the first column.
    pub(super) const fn start_line(&mut self) {
        self.x = 0;
    }

    /// The style is not what was written last.
    pub(super) const fn forget_style(&mut self) {
        self.style = None;
        self.whole = None;
    }

    /// Selects colours, attributes and hyperlink.
    pub(super) fn set_style(&mut self, style: Style) {
        if self.whole == Some(style) && !self.plain {
            return;
        }
        let extra = self.pool.extra(style.extra);
        self.set_style_with(style, extra);
        self.whole = Some(style);
    }

    pub(super) fn set_style_with(&mut self, style: Style, extra: Extra) {
        let (style, extra) =
            if self.plain { (Style::default(), Extra::default()) } else { (style, extra) };
        self.whole = None;
        let bare = Style { extra: crate::cell::ExtraId::default(), ..style };
        if self.style != Some(bare) || self.extra.underline_color != extra.underline_color {
            write_sgr(&mut self.out, bare, extra.underline_color);
            self.style = Some(bare);
            self.preceding = None;
        }
        if self.extra.link != extra.link {
            self.write_link(&extra);
        }
        self.extra = extra;
    }

    fn write_link(&mut self, extra: &Extra) {
        let text = match &extra.link {
            None => "\x1b]8;;\x1b\\".to_owned(),
            Some(link) => {
                let id = link.id.as_deref().map_or_else(String::new, |id| format!("id={id}"));
                format!("\x1b]8;{id};{}\x1b\\", link.uri)
            }
        };
        self.escape(text.as_bytes());
    }

    /// Prints the text of a cell.
    pub(super) fn print(&mut self, cell: Cell) {
        self.set_style(cell.style);
        self.print_glyph(cell.glyph);
    }

    pub(super) fn print_glyph(&mut self, glyph: Glyph) {
        if let Some(byte) = glyph.as_ascii()
            && !self.preceding.is_some_and(Preceding::joins_ascii)
        {
            self.out.push(byte);
            self.preceding = Some(Preceding::ASCII);
            self.x = (self.x + 1).min(self.cols);
            return;
        }
        let mut buffer = [0; 4];
        let text = match (glyph.as_cluster(), glyph.as_char()) {
            (Some(id), _) => self.pool.cluster(id),
            (None, Some(ch)) => &*ch.encode_utf8(&mut buffer),
            (None, None) => " ",
        };
        for (at, ch) in text.chars().enumerate() {
            let measured = measure(ch, self.preceding);
            if at == 0 && measured.joins {
                self.out.extend_from_slice(b"\x1b\\");
                self.preceding = Some(measure(ch, None).leaves);
            } else {
                self.preceding = Some(measured.leaves);
            }
        }
        self.out.extend_from_slice(text.as_bytes());
        self.x = (self.x + usize::from(glyph.width())).min(self.cols);
    }

    /// Goes from the end of `above` to the start of `row`.
    pub(super) fn next_line(&mut self, row: &Row, above: &Row, blanked: bool) {
        if !row.wrapped || blanked {
            // A new line takes the background of the moment.
            self.set_background(Color::Default);
            self.escape(b"\r\n");
            self.x = 0;
            return;
        }
        let last = above.get(self.cols - 1);
        let full = last.glyph.has_content() || last.width() == 0;
        if full && self.x >= self.cols {
            self.wrap_full(row.get(0));
        } else {
            self.wrap_early(last.style);
        }
    }

    /// The line above is full: the next character wraps by itself.
    fn wrap_full(&mut self, first: Cell) {
        let by_itself =
            first.glyph.has_content() && (self.plain || first.style.bg == Color::Default);
        if !by_itself {
            self.set_background(Color::Default);
            self.escape(b"\x1b\\ \r\x1b[X");
        }
        self.x = 0;
    }

    /// The last cell above is empty and yet this line continues it.
    fn wrap_early(&mut self, last: Style) {
        self.forward_to(self.cols - 1);
        self.set_style(last);
        self.escape(b"\x1b\\");
        self.out.extend_from_slice(WIDE_SPACE.as_bytes());
        self.set_background(Color::Default);
        self.escape(format!("\r\x1b[{}X", self.cols).as_bytes());
        self.x = 0;
    }

    /// Selects the background alone, for functions that erase.
    fn set_background(&mut self, bg: Color) {
        if self.plain || self.style.is_none_or(|style| style.bg != bg) {
            let link = self.extra.link.clone();
            let extra = Extra { underline_color: Color::Default, link };
            self.set_style_with(Style::erased(bg), extra);
        }
    }

    fn forward_to(&mut self, x: usize) {
        if x > self.x {
            let count = x - self.x;
            let text = if count == 1 { "\x1b[C".to_owned() } else { format!("\x1b[{count}C") };
            self.escape(text.as_bytes());
            self.x = x;
        }
    }

    /// Writes the cells of a line from its first column on. When the next line `continues` it, an
    /// empty last cell is left to [`RowWriter::next_line`].
    pub(super) fn write_row(&mut self, row: &Row, continues: bool) {
        let mut at = 0;
        let last = self.cols - 1;
        let left_out = continues && !row.get(last).glyph.has_content() && row.width_at(last) == 1;
        let used = row.used_len().min(self.cols - usize::from(left_out));
        while at < used {
            let cell = row.get(at);
            if cell.glyph.has_content() {
                self.forward_to(at);
                self.print(cell);
                at += usize::from(cell.width().max(1));
                continue;
            }
            let run = (at..used).take_while(|&x| is_empty_like(row.get(x), cell.style)).count();
            if cell.style == Style::erased(cell.style.bg) {
                self.write_erased(at, run, cell.style.bg);
                at += run;
            } else {
                self.write_torn(row, at);
                at += 1;
            }
        }
    }

    /// Empty cells of a background.
    fn write_erased(&mut self, at: usize, count: usize, bg: Color) {
        if bg == Color::Default || self.plain {
            return;
        }
        self.forward_to(at);
        self.set_background(bg);
        self.escape(format!("\x1b[{count}X").as_bytes());
    }

    /// What is left of half a wide character: an empty cell with more style than a background.
    fn write_torn(&mut self, row: &Row, at: usize) {
        if self.plain {
            return;
        }
        if at + 1 < self.cols {
            self.forward_to(at);
            self.tear(at, row.get(at).style);
            return;
        }
        // The last column has no room for a wide character: the torn cells at the end are made
        // one column too far left and pushed into place, and the cell there is written again.
        let first = (0..at).rev().find(|&x| !is_torn(row.get(x))).map_or(1, |x| x + 1);
        for x in first..=at {
            self.tear(x - 1, row.get(x).style);
        }
        self.set_background(Color::Default);
        self.escape(format!("\x1b[{first}G\x1b[@").as_bytes());
        let before = first - 1 - usize::from(first > 1 && row.get(first - 1).is_orphan());
        let cell = row.get(before);
        self.escape(format!("\x1b[{}G", before + 1).as_bytes());
        self.x = before;
        if cell.glyph.has_content() {
            self.print(cell);
        } else {
            self.write_erased(before, first - before, cell.style.bg);
        }
    }

    /// Makes an empty cell of any style: prints a wide character and overwrites its second half.
    fn tear(&mut self, at: usize, style: Style) {
        self.set_style(style);
        self.escape(format!("\x1b[{}G{WIDE_SPACE}\x1b[{}G ", at + 1, at + 2).as_bytes());
        self.set_background(Color::Default);
        self.escape(format!("\x1b[{}G\x1b[X", at + 2).as_bytes());
        self.x = at + 1;
    }
}

fn is_torn(cell: Cell) -> bool {
    !cell.glyph.has_content() && cell.width() == 1 && cell.style != Style::erased(cell.style.bg)
}

fn is_empty_like(cell: Cell, style: Style) -> bool {
    !cell.glyph.has_content() && cell.style == style
}
