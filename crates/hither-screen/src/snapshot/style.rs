//! Styles as SGR sequences.

use crate::cell::{Attributes, Color, Style, Underline};
use crate::pen::SavedPen;

/// The style that DECSC saved.
pub(super) fn of_saved(pen: SavedPen) -> Style {
    Style { fg: pen.fg, bg: pen.bg, attributes: pen.attributes, ..Style::default() }
}

/// Appends the sequences that select `style` (without its hyperlink) from any other.
pub(super) fn write_sgr(out: &mut Vec<u8>, style: Style, underline_color: Color) {
    out.extend_from_slice(b"\x1b[");
    let mut sgr = Sgr { start: out.len(), out };
    let flags = [
        (Attributes::BOLD, 1),
        (Attributes::DIM, 2),
        (Attributes::ITALIC, 3),
        (Attributes::BLINK, 5),
        (Attributes::INVERSE, 7),
        (Attributes::INVISIBLE, 8),
        (Attributes::STRIKETHROUGH, 9),
        (Attributes::OVERLINE, 53),
    ];
    for (_, code) in flags.into_iter().filter(|&(flag, _)| style.attributes.contains(flag)) {
        sgr.param(code);
    }
    match style.attributes.underline() {
        Underline::None => {}
        Underline::Single => sgr.param(4),
        Underline::Double => sgr.param(21),
        Underline::Curly => sgr.param_with(4, &[3]),
        Underline::Dotted => sgr.param_with(4, &[4]),
        Underline::Dashed => sgr.param_with(4, &[5]),
    }
    sgr.color(style.fg, 30);
    sgr.color(style.bg, 40);
    sgr.underline_color(underline_color);
    out.push(b'm');
    if style.attributes.contains(Attributes::PROTECTED) {
        out.extend_from_slice(b"\x1b[1\"q");
    }
}

/// Writes parameters; the first one is preceded by the reset.
struct Sgr<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl Sgr<'_> {
    fn param(&mut self, code: u8) {
        let separator: &[u8] = if self.out.len() == self.start { b"0;" } else { b";" };
        self.out.extend_from_slice(separator);
        self.digits(code);
    }

    fn params(&mut self, codes: &[u8]) {
        codes.iter().for_each(|&code| self.param(code));
    }

    fn param_with(&mut self, code: u8, subparams: &[u8]) {
        self.param(code);
        for &value in subparams {
            self.out.push(b':');
            self.digits(value);
        }
    }

    fn digits(&mut self, value: u8) {
        if value >= 100 {
            self.out.push(b'0' + value / 100);
        }
        if value >= 10 {
            self.out.push(b'0' + value / 10 % 10);
        }
        self.out.push(b'0' + value % 10);
    }

    /// `base` is 30 for the text and 40 for what is behind it.
    fn color(&mut self, color: Color, base: u8) {
        match color {
            Color::Default => {}
            Color::Named(index) if index < 8 => self.param(base + index),
            Color::Named(index) => self.param(base + 60 + index - 8),
            Color::Indexed(index) => self.params(&[base + 8, 5, index]),
            Color::Rgb(r, g, b) => self.params(&[base + 8, 2, r, g, b]),
        }
    }

    /// There are no short forms for underlines; the colon form keeps it one parameter.
    fn underline_color(&mut self, color: Color) {
        match color {
            Color::Default => {}
            Color::Named(index) | Color::Indexed(index) => self.param_with(58, &[5, index]),
            Color::Rgb(r, g, b) => {
                self.param(58);
                self.out.extend_from_slice(b":2:");
                for value in [r, g, b] {
                    self.out.push(b':');
                    self.digits(value);
                }
            }
        }
    }
}
