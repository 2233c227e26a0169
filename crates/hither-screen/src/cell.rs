//! One character cell and how it looks.

/// A colour as a program asked for it; the page decides what the first 16 look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Color {
    /// The default foreground or background.
    #[default]
    Default,
    /// One of the 16 named colours (SGR 30–37, 40–47, 90–97, 100–107), 0 to 15.
    Named(u8),
    /// An entry of the palette of 256 (SGR 38;5 and 48;5).
    Indexed(u8),
    /// Red, green, blue (SGR 38;2 and 48;2).
    Rgb(u8, u8, u8),
}

/// How a cell is underlined (SGR 4 and its subparameters).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Underline {
    /// Not at all.
    #[default]
    None,
    /// One line.
    Single,
    /// Two lines.
    Double,
    /// A wave.
    Curly,
    /// Dots.
    Dotted,
    /// Dashes.
    Dashed,
}

impl Underline {
    /// The subparameter of SGR 4 that asks for this style; an unknown one means a single line.
    pub(crate) const fn from_parameter(style: i32) -> Self {
        match style {
            0 => Self::None,
            2 => Self::Double,
            3 => Self::Curly,
            4 => Self::Dotted,
            5 => Self::Dashed,
            _ => Self::Single,
        }
    }
}

/// Set of the attributes that are either on or off, and the style of the underline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Attributes(u16);

impl Attributes {
    /// SGR 1.
    pub const BOLD: Self = Self(1);
    /// SGR 2.
    pub const DIM: Self = Self(1 << 1);
    /// SGR 3.
    pub const ITALIC: Self = Self(1 << 2);
    /// SGR 5.
    pub const BLINK: Self = Self(1 << 3);
    /// SGR 7.
    pub const INVERSE: Self = Self(1 << 4);
    /// SGR 8.
    pub const INVISIBLE: Self = Self(1 << 5);
    /// SGR 9.
    pub const STRIKETHROUGH: Self = Self(1 << 6);
    /// SGR 53.
    pub const OVERLINE: Self = Self(1 << 7);
    /// DECSCA: selective erase leaves the cell alone.
    pub const PROTECTED: Self = Self(1 << 8);

    /// The three bits of the underline lie above the flags: a cell stays at 16 bytes.
    const UNDERLINE_SHIFT: u32 = 9;

    /// Whether all of `other` are on.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// How the cell is underlined.
    #[must_use]
    pub const fn underline(self) -> Underline {
        match (self.0 >> Self::UNDERLINE_SHIFT) & 7 {
            0 => Underline::None,
            2 => Underline::Double,
            3 => Underline::Curly,
            4 => Underline::Dotted,
            5 => Underline::Dashed,
            _ => Underline::Single,
        }
    }

    /// The same attributes with another underline.
    pub(crate) const fn with_underline(self, underline: Underline) -> Self {
        let cleared = self.0 & !(7 << Self::UNDERLINE_SHIFT);
        Self(cleared | ((underline as u16) << Self::UNDERLINE_SHIFT))
    }

    /// Switches `other` on.
    pub(crate) const fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Switches `other` off.
    pub(crate) const fn remove(&mut self, other: Self) {
        self.0 &= !other.0;
    }
}

/// Number of an interned underline colour and hyperlink; 0 is neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExtraId(pub(crate) u16);

/// How a cell looks, without its character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) fg: Color,
    pub(crate) bg: Color,
    pub(crate) attributes: Attributes,
    pub(crate) extra: ExtraId,
}

impl Style {
    /// Erased cells keep the background and nothing else ("background colour erase").
    pub(crate) fn erased(bg: Color) -> Self {
        Self { bg, ..Self::default() }
    }
}

/// The character of a cell: nothing, one code point, or a cluster in the pool; and its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Glyph(u32);

impl Glyph {
    const CLUSTER: u32 = 1 << 21;
    const WIDTH_SHIFT: u32 = 22;
    const VALUE: u32 = Self::CLUSTER - 1;

    /// Nothing was ever printed here.
    pub(crate) const EMPTY: Self = Self(1 << Self::WIDTH_SHIFT);
    /// The second column of a wide character.
    pub(crate) const SPACER: Self = Self(0);

    pub(crate) const fn ascii(byte: u8) -> Self {
        Self(byte as u32 | (1 << Self::WIDTH_SHIFT))
    }

    pub(crate) const fn char(ch: char, width: u8) -> Self {
        Self(ch as u32 | ((width as u32) << Self::WIDTH_SHIFT))
    }

    /// `id` must be below 2^21, which the pool sees to.
    pub(crate) const fn cluster(id: u32, width: u8) -> Self {
        Self(id | Self::CLUSTER | ((width as u32) << Self::WIDTH_SHIFT))
    }

    pub(crate) const fn with_width(self, width: u8) -> Self {
        Self((self.0 & (Self::VALUE | Self::CLUSTER)) | ((width as u32) << Self::WIDTH_SHIFT))
    }

    pub(crate) const fn width(self) -> u8 {
        (self.0 >> Self::WIDTH_SHIFT).to_le_bytes()[0]
    }

    pub(crate) const fn has_content(self) -> bool {
        self.0 & (Self::VALUE | Self::CLUSTER) != 0
    }

    pub(crate) const fn as_cluster(self) -> Option<u32> {
        if self.0 & Self::CLUSTER != 0 { Some(self.0 & Self::VALUE) } else { None }
    }

    /// The printable ASCII character, if it is one.
    pub(crate) fn as_ascii(self) -> Option<u8> {
        self.as_char().and_then(|ch| u8::try_from(ch).ok()).filter(u8::is_ascii)
    }

    /// The single code point, if there is exactly one.
    pub(crate) const fn as_char(self) -> Option<char> {
        if self.0 & Self::CLUSTER != 0 || self.0 & Self::VALUE == 0 {
            None
        } else {
            char::from_u32(self.0 & Self::VALUE)
        }
    }
}

/// One cell of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) glyph: Glyph,
    pub(crate) style: Style,
}

impl Cell {
    /// A cell of a fresh screen.
    pub(crate) const BLANK: Self = Self {
        glyph: Glyph::EMPTY,
        style: Style {
            fg: Color::Default,
            bg: Color::Default,
            attributes: Attributes(0),
            extra: ExtraId(0),
        },
    };

    pub(crate) const fn empty(style: Style) -> Self {
        Self { glyph: Glyph::EMPTY, style }
    }

    pub(crate) const fn width(self) -> u8 {
        self.glyph.width()
    }

    /// The cell after the first half of a wide character was destroyed.
    pub(crate) const fn is_orphan(self) -> bool {
        self.glyph.width() == 0 && !self.glyph.has_content()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_small() {
        assert_eq!(size_of::<Cell>(), 16);
    }

    #[test]
    fn a_glyph_keeps_character_and_width_apart() {
        let glyph = Glyph::char('\u{10ffff}', 2);
        assert_eq!((glyph.as_char(), glyph.width()), (Some('\u{10ffff}'), 2));
        assert_eq!(glyph.with_width(1).as_char(), Some('\u{10ffff}'));
        assert_eq!(Glyph::cluster(7, 2).as_cluster(), Some(7));
        assert!(!Glyph::EMPTY.has_content() && !Glyph::SPACER.has_content());
    }
}
