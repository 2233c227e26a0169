//! Character sets (ISO 2022): what ASCII codes look like after `ESC ( 0` and its relatives.

/// A set of replacements for ASCII codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// No replacements.
    #[default]
    Ascii,
    /// DEC Special Graphics, `0`: lines and symbols.
    Graphics,
    /// A national set of the VT220, by its final byte.
    National(u8),
}

/// `` ` `` to `~` in DEC Special Graphics (VT100 User Guide, table 3-9).
const GRAPHICS: [char; 31] = [
    '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺', '⎻', '─', '⎼',
    '⎽', '├', '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
];

impl Charset {
    /// The set that a designation with this final byte selects; `None` when there is none and
    /// the designation is ignored.
    pub(crate) fn from_final(byte: u8) -> Option<Self> {
        match byte {
            b'B' => Some(Self::Ascii),
            b'0' => Some(Self::Graphics),
            b'5' => Some(Self::National(b'C')),
            b'6' => Some(Self::National(b'E')),
            b'7' => Some(Self::National(b'H')),
            b'A' | b'4' | b'C' | b'R' | b'Q' | b'K' | b'Y' | b'E' | b'Z' | b'H' | b'=' => {
                Some(Self::National(byte))
            }
            _ => None,
        }
    }

    /// The final byte that designates this set.
    pub(crate) const fn final_byte(self) -> u8 {
        match self {
            Self::Ascii => b'B',
            Self::Graphics => b'0',
            Self::National(byte) => byte,
        }
    }

    /// What `byte`, a printable ASCII code, looks like.
    pub(crate) fn map(self, byte: u8) -> char {
        let plain = char::from(byte);
        match self {
            Self::Ascii => plain,
            Self::Graphics => {
                let at = byte.checked_sub(b'`').map(usize::from);
                at.and_then(|at| GRAPHICS.get(at)).copied().unwrap_or(plain)
            }
            Self::National(set) => {
                let table = national(set);
                let mut codes = table.chars().step_by(2).zip(table.chars().skip(1).step_by(2));
                codes.find(|&(code, _)| code == plain).map_or(plain, |(_, look)| look)
            }
        }
    }

    /// The code that looks like `ch`, so that printing it again gives `ch` again.
    pub(crate) fn unmap(self, ch: char) -> Option<u8> {
        (0x20..0x7f).find(|&byte| self.map(byte) == ch)
    }
}

/// Tables 2-5 to 2-15 of the VT220 Programmer Reference Manual: code, look, code, look …
const fn national(set: u8) -> &'static str {
    match set {
        b'A' => "#£",
        b'4' => "#£@¾[i\\½]|{¨|f}¼~´",
        b'C' => "[Ä\\Ö]Å^Ü`é{ä|ö}å~ü",
        b'R' => "#£@à[°\\ç]§{é|ù}è~¨",
        b'Q' => "@à[â\\ç]ê^î`ô{é|ù}è~û",
        b'K' => "@§[Ä\\Ö]Ü{ä|ö}ü~ß",
        b'Y' => "#£@§[°\\ç]é`ù{à|ò}è~ì",
        b'E' => "@Ä[Æ\\Ø]Å^Ü`ä{æ|ø}å~ü",
        b'Z' => "#£@§[¡\\Ñ]¿{°|ñ}ç",
        b'H' => "@É[Ä\\Ö]Å^Ü`é{ä|ö}å~ü",
        b'=' => "#ù@à[é\\ç]ê^î_è`ô{ä|ö}ü~û",
        _ => "",
    }
}

/// The four designated sets and the one in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Charsets {
    pub(crate) designated: [Charset; 4],
    /// Which of them is shifted in (SO, SI, LS2, LS3).
    pub(crate) level: usize,
    /// The set in use: normally `designated[level]`, but DECRC brings back the saved one alone.
    pub(crate) active: Charset,
}

impl Charsets {
    pub(crate) fn shift(&mut self, level: usize) {
        self.level = level;
        self.active = self.designated[level];
    }

    pub(crate) fn designate(&mut self, slot: usize, charset: Charset) {
        self.designated[slot] = charset;
        if self.level == slot {
            self.active = charset;
        }
    }
}
