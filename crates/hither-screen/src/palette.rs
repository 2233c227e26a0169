//! Colours that programs set (OSC 4, 10, 11, 12) and what they are without.

/// Red, green, blue, 0 to 255 each.
pub type Rgb = (u8, u8, u8);

/// A colour that can be set and asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ColorSlot {
    /// OSC 4.
    Indexed(u8),
    /// OSC 10.
    Foreground,
    /// OSC 11.
    Background,
    /// OSC 12.
    Cursor,
}

impl ColorSlot {
    /// The number and, for the palette, the index, as the sequence has them.
    pub(crate) fn number(self) -> String {
        match self {
            Self::Indexed(index) => format!("4;{index}"),
            Self::Foreground => "10".to_owned(),
            Self::Background => "11".to_owned(),
            Self::Cursor => "12".to_owned(),
        }
    }
}

/// OSC 10 takes a list: foreground, background, cursor; OSC 11 starts with the second.
pub(crate) fn slots_from(number: u32) -> impl Iterator<Item = ColorSlot> {
    let skip = usize::try_from(number.saturating_sub(10)).unwrap_or(3);
    [ColorSlot::Foreground, ColorSlot::Background, ColorSlot::Cursor].into_iter().skip(skip)
}

/// What the colours are before a program changes them: the theme of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Text.
    pub foreground: Rgb,
    /// Paper.
    pub background: Rgb,
    /// Cursor.
    pub cursor: Rgb,
    /// The 16 named colours.
    pub named: [Rgb; 16],
}

impl Default for Theme {
    /// The colours of xterm.js.
    fn default() -> Self {
        Self {
            foreground: (0xff, 0xff, 0xff),
            background: (0, 0, 0),
            cursor: (0xff, 0xff, 0xff),
            named: [
                (0x2e, 0x34, 0x36),
                (0xcc, 0x00, 0x00),
                (0x4e, 0x9a, 0x06),
                (0xc4, 0xa0, 0x00),
                (0x34, 0x65, 0xa4),
                (0x75, 0x50, 0x7b),
                (0x06, 0x98, 0x9a),
                (0xd3, 0xd7, 0xcf),
                (0x55, 0x57, 0x53),
                (0xef, 0x29, 0x29),
                (0x8a, 0xe2, 0x34),
                (0xfc, 0xe9, 0x4f),
                (0x72, 0x9f, 0xcf),
                (0xad, 0x7f, 0xa8),
                (0x34, 0xe2, 0xe2),
                (0xee, 0xee, 0xec),
            ],
        }
    }
}

impl Theme {
    /// Entry `index` of the palette: 16 named colours, a 6×6×6 cube, 24 greys.
    fn indexed(&self, index: u8) -> Rgb {
        match index {
            0..=15 => self.named[usize::from(index)],
            16..=231 => {
                let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
                let at = index - 16;
                (level(at / 36), level(at / 6 % 6), level(at % 6))
            }
            232.. => {
                let grey = 8 + 10 * (index - 232);
                (grey, grey, grey)
            }
        }
    }
}

/// Colours that programs have set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Palette {
    /// Sorted by slot; at most 259.
    set: Vec<(ColorSlot, Rgb)>,
}

impl Palette {
    pub(crate) fn set(&mut self, slot: ColorSlot, rgb: Rgb) {
        match self.set.binary_search_by_key(&slot, |&(slot, _)| slot) {
            Ok(at) => self.set[at].1 = rgb,
            Err(at) => self.set.insert(at, (slot, rgb)),
        }
    }

    pub(crate) fn restore(&mut self, slot: ColorSlot) {
        self.set.retain(|&(set, _)| set != slot);
    }

    pub(crate) fn restore_indexed(&mut self) {
        self.set.retain(|&(set, _)| !matches!(set, ColorSlot::Indexed(_)));
    }

    pub(crate) fn lookup(&self, slot: ColorSlot, theme: &Theme) -> Rgb {
        if let Ok(at) = self.set.binary_search_by_key(&slot, |&(slot, _)| slot) {
            return self.set[at].1;
        }
        match slot {
            ColorSlot::Indexed(index) => theme.indexed(index),
            ColorSlot::Foreground => theme.foreground,
            ColorSlot::Background => theme.background,
            ColorSlot::Cursor => theme.cursor,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ColorSlot, Rgb)> {
        self.set.iter().copied()
    }
}

/// An index of the palette in decimal digits.
pub(crate) fn parse_index(text: &str) -> Option<u8> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// `rgb:r/g/b` with one to four hexadecimal digits each, and `#rgb` in four lengths
/// (`XParseColor(3)`).
pub(crate) fn parse_color(text: &str) -> Option<Rgb> {
    let lower = text.to_ascii_lowercase();
    if let Some(parts) = lower.strip_prefix("rgb:") {
        let parts: Vec<&str> = parts.split('/').collect();
        let [r, g, b] = parts.as_slice() else {
            return None;
        };
        if r.len() != g.len() || g.len() != b.len() {
            return None;
        }
        return Some((scale(r)?, scale(g)?, scale(b)?));
    }
    let digits = lower.strip_prefix('#')?;
    if !matches!(digits.len(), 3 | 6 | 9 | 12) || !digits.is_ascii() {
        return None;
    }
    let len = digits.len() / 3;
    let part = |at: usize| {
        let value = hex(&digits[at * len..(at + 1) * len])?;
        let bits = len * 4;
        let byte = if bits < 8 { value << (8 - bits) } else { value >> (bits - 8) };
        u8::try_from(byte).ok()
    };
    Some((part(0)?, part(1)?, part(2)?))
}

/// One to four hexadecimal digits, rounded to eight bits.
fn scale(digits: &str) -> Option<u8> {
    if digits.is_empty() || digits.len() > 4 {
        return None;
    }
    let max = (1_u32 << (4 * digits.len())) - 1;
    u8::try_from((hex(digits)? * 510 + max) / (2 * max)).ok()
}

fn hex(digits: &str) -> Option<u32> {
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        u32::from_str_radix(digits, 16).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_color_names_of_x11() {
        for (text, expect) in [
            ("rgb:ff/80/00", Some((255, 128, 0))),
            ("rgb:f/8/0", Some((255, 136, 0))),
            ("RGB:FFFF/8080/0000", Some((255, 128, 0))),
            ("rgb:fff/800/000", Some((255, 128, 0))),
            ("#f80", Some((0xf0, 0x80, 0))),
            ("#ff8000", Some((255, 128, 0))),
            ("#ffff80000000", Some((255, 128, 0))),
            ("rgb:ff/8/0", None),
            ("rgb:+f/80/00", None),
            ("#ff800", None),
            ("red", None),
            ("", None),
            ("#éé", None),
        ] {
            assert_eq!(parse_color(text), expect, "{text}");
        }
    }
}
