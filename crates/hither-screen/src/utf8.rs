//! UTF-8, one byte at a time.
//!
//! What is not UTF-8 disappears, byte for byte as in the page's terminal: a wrong continuation
//! drops what came before it and is looked at again; overlong forms, surrogates and U+FEFF (byte
//! order mark) are dropped whole.

/// Bytes of a character that is not complete yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Utf8 {
    bytes: [u8; 4],
    len: usize,
}

/// What a byte led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// A character is complete.
    Char(char),
    /// More bytes are needed, or the byte is dropped.
    Nothing,
    /// The bytes before were dropped; this byte has to be given again.
    Again,
}

impl Utf8 {
    /// The bytes of the incomplete character.
    pub(crate) fn pending(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn push(&mut self, byte: u8) -> Decoded {
        if self.len == 0 {
            return match byte {
                0..=0x7f => Decoded::Char(char::from(byte)),
                0xc0..=0xf7 => {
                    self.bytes[0] = byte;
                    self.len = 1;
                    Decoded::Nothing
                }
                _ => Decoded::Nothing,
            };
        }
        if byte & 0xc0 != 0x80 {
            self.len = 0;
            return Decoded::Again;
        }
        self.bytes[self.len] = byte;
        self.len += 1;
        let wanted = match self.bytes[0] {
            0..=0xdf => 2,
            0xe0..=0xef => 3,
            _ => 4,
        };
        if self.len < wanted {
            return Decoded::Nothing;
        }
        self.len = 0;
        match std::str::from_utf8(&self.bytes[..wanted]).ok().and_then(|text| text.chars().next()) {
            Some(ch) if ch != '\u{feff}' => Decoded::Char(ch),
            _ => Decoded::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> String {
        let (mut utf8, mut text) = (Utf8::default(), String::new());
        for &byte in bytes {
            loop {
                match utf8.push(byte) {
                    Decoded::Char(ch) => text.push(ch),
                    Decoded::Nothing => {}
                    Decoded::Again => continue,
                }
                break;
            }
        }
        text
    }

    #[test]
    fn drops_what_is_not_utf8() {
        for (bytes, expect) in [
            (&b"a\xffb"[..], "ab"),
            (b"\xc3\xa9", "é"),
            (b"\xc3x", "x"),
            (b"\xc0\x80x", "x"),
            (b"\xe2\x80A", "A"),
            (b"\xed\xa0\x80x", "x"),
            (b"\xef\xbb\xbfx", "x"),
            (b"\xf0\x9f\x98\x80", "😀"),
            (b"\xf7\xbf\xbf\xbfx", "x"),
            (b"\xe2\xf0\x9f\x98\x80", "😀"),
        ] {
            assert_eq!(decode(bytes), expect, "{bytes:02x?}");
        }
    }
}
