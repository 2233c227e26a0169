//! The style that the next character gets.

use std::sync::Arc;

use crate::cell::{Attributes, Color, Style, Underline};
use crate::params::Params;
use crate::pool::{Extra, Hyperlink, Pool};

/// Colours, attributes and hyperlink in force (SGR, DECSCA, OSC 8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pen {
    /// Colours and attributes; its `extra` number is kept up to date by [`Pen::style`].
    saved: SavedPen,
    underline_color: Color,
    link: Option<Arc<Hyperlink>>,
    /// The interned form, until something changes.
    cached: Option<Style>,
}

/// The part of the pen that DECSC saves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SavedPen {
    pub(crate) fg: Color,
    pub(crate) bg: Color,
    pub(crate) attributes: Attributes,
    /// Whether there was an underline or a hyperlink when it was last set; the page's terminal
    /// saves this instead of the hyperlink, so DECRC may switch one off that is still open.
    extended: bool,
}

impl SavedPen {
    /// Whether only a hyperlink can have made it extended.
    pub(crate) fn has_link(self) -> bool {
        self.extended && self.attributes.underline() == Underline::None
    }
}

impl Pen {
    /// The pen as a cell style.
    pub(crate) fn style(&mut self, pool: &mut Pool) -> Style {
        if let Some(style) = self.cached {
            return style;
        }
        let extra = pool.intern_extra(&self.extra());
        let SavedPen { fg, bg, attributes, .. } = self.saved;
        let style = Style { fg, bg, attributes, extra };
        self.cached = Some(style);
        style
    }

    /// The interned form is gone after the pool was collected.
    pub(crate) const fn forget_numbers(&mut self) {
        self.cached = None;
    }

    /// Underline colour, when there is an underline to colour, and hyperlink.
    pub(crate) fn extra(&self) -> Extra {
        let underlined = self.saved.attributes.underline() != Underline::None;
        let underline_color = if underlined { self.underline_color } else { Color::Default };
        let link = if self.saved.extended { self.link.clone() } else { None };
        Extra { underline_color, link }
    }

    fn update_extended(&mut self) {
        let underlined = self.saved.attributes.underline() != Underline::None;
        self.saved.extended = underlined || self.link.is_some();
    }

    pub(crate) const fn bg(&self) -> Color {
        self.saved.bg
    }

    pub(crate) const fn save(&self) -> SavedPen {
        self.saved
    }

    /// Takes back what DECSC saved; hyperlink and underline colour go on.
    pub(crate) const fn restore(&mut self, saved: SavedPen) {
        self.saved = saved;
        self.cached = None;
    }

    pub(crate) fn set_link(&mut self, link: Option<Arc<Hyperlink>>) {
        self.link = link;
        self.update_extended();
        self.cached = None;
    }

    /// DECSCA.
    pub(crate) fn set_protected(&mut self, parameter: i32) {
        match parameter {
            1 => self.saved.attributes.insert(Attributes::PROTECTED),
            0 | 2 => self.saved.attributes.remove(Attributes::PROTECTED),
            _ => {}
        }
        self.cached = None;
    }

    /// SGR 0: everything but the hyperlink.
    fn reset(&mut self) {
        self.saved = SavedPen::default();
        self.underline_color = Color::Default;
        self.update_extended();
    }

    /// Select Graphic Rendition (ECMA-48 8.3.117 with the extensions of xterm and kitty).
    pub(crate) fn select(&mut self, params: &Params) {
        self.cached = None;
        let mut at = 0;
        while at < params.len() {
            match params.value(at) {
                38 | 48 | 58 => at += self.select_color(params, at),
                4 => {
                    let style = params.subparams(at).first().copied().unwrap_or(1);
                    self.set_underline(Underline::from_parameter(style));
                }
                code => self.select_one(code),
            }
            at += 1;
        }
    }

    fn select_one(&mut self, code: i32) {
        use Attributes as A;
        let byte = u8::try_from(code).unwrap_or(u8::MAX);
        let SavedPen { fg, bg, attributes, .. } = &mut self.saved;
        match byte {
            0 => self.reset(),
            1 => attributes.insert(A::BOLD),
            2 => attributes.insert(A::DIM),
            3 => attributes.insert(A::ITALIC),
            5 => attributes.insert(A::BLINK),
            7 => attributes.insert(A::INVERSE),
            8 => attributes.insert(A::INVISIBLE),
            9 => attributes.insert(A::STRIKETHROUGH),
            21 => self.set_underline(Underline::Double),
            22 => {
                attributes.remove(A::BOLD);
                attributes.remove(A::DIM);
            }
            23 => attributes.remove(A::ITALIC),
            24 => self.set_underline(Underline::None),
            25 => attributes.remove(A::BLINK),
            27 => attributes.remove(A::INVERSE),
            28 => attributes.remove(A::INVISIBLE),
            29 => attributes.remove(A::STRIKETHROUGH),
            30..=37 => *fg = Color::Named(byte - 30),
            39 => *fg = Color::Default,
            40..=47 => *bg = Color::Named(byte - 40),
            49 => *bg = Color::Default,
            53 => attributes.insert(A::OVERLINE),
            55 => attributes.remove(A::OVERLINE),
            59 => {
                self.underline_color = Color::Default;
                self.update_extended();
            }
            90..=97 => *fg = Color::Named(byte - 90 + 8),
            100..=107 => *bg = Color::Named(byte - 100 + 8),
            _ => {}
        }
    }

    fn set_underline(&mut self, underline: Underline) {
        self.saved.attributes = self.saved.attributes.with_underline(underline);
        self.update_extended();
    }

    /// SGR 38, 48 and 58 in all their spellings: `38;2;r;g;b`, `38:2:r:g:b`, `38:2::r:g:b`,
    /// `38;5;n`, `38:5:n` and mixtures. Returns how many further parameters belong to it.
    fn select_color(&mut self, params: &Params, at: usize) -> usize {
        // target, kind, colour space, then the values
        let mut slots = [0, 0, -1, 0, 0, 0];
        let mut space = 0;
        let mut advance = 0;
        loop {
            slots[advance + space] = params.value(at + advance);
            let subparams = params.subparams(at + advance);
            if !subparams.is_empty() {
                for (offset, &value) in subparams.iter().enumerate() {
                    if slots[1] == 5 {
                        space = 1;
                    }
                    match slots.get_mut(advance + offset + 1 + space) {
                        Some(slot) => *slot = value,
                        None => break,
                    }
                }
                break;
            }
            let complete =
                (slots[1] == 5 && advance + space >= 2) || (slots[1] == 2 && advance + space >= 5);
            if complete {
                break;
            }
            if slots[1] != 0 {
                space = 1;
            }
            advance += 1;
            if at + advance >= params.len() || advance + space >= slots.len() {
                break;
            }
        }
        self.apply_color(slots);
        advance
    }

    fn apply_color(&mut self, slots: [i32; 6]) {
        let byte = |value: i32| value.max(0).to_le_bytes()[0];
        let color = match slots[1] {
            2 => Color::Rgb(byte(slots[3]), byte(slots[4]), byte(slots[5])),
            5 => Color::Indexed(byte(slots[3])),
            _ => return,
        };
        match slots[0] {
            38 => self.saved.fg = color,
            48 => self.saved.bg = color,
            _ => self.underline_color = color,
        }
    }
}
