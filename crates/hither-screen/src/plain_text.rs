//! The text in output, without its control functions.

use crate::params::Params;
use crate::parser::{Collected, Parser, Perform, Text, printable_len, whole_char};

/// Takes the text out of output that comes in pieces: printable characters, tabs, and a line feed
/// for each end of a line.
///
/// A carriage return behind text counts as the end of a line, together with the line feeds behind
/// it, so that each state of a progress bar is a line of its own; one at the beginning of a line,
/// as shells write them before a command's output, is nothing. Where text stands on a screen is not
/// known here: what a full-screen program draws comes in the order in which it was drawn.
#[derive(Clone, Debug, Default)]
pub struct PlainText {
    parser: Parser,
    /// Text has come since the last end of a line.
    in_line: bool,
    /// A carriage return has come behind text, and its line feed may follow.
    returned: bool,
}

impl PlainText {
    /// At the start of a session, or anywhere between two control functions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of output and hands out pieces of text, each with the index in `bytes`
    /// behind its last character. Text and output run in step within a piece, except that a
    /// character may have begun in an earlier call.
    pub fn feed(&mut self, bytes: &[u8], to: &mut impl FnMut(&str, usize)) {
        let mut at = 0;
        while at < bytes.len() {
            if self.parser.is_ground() {
                let run = printable_len(&bytes[at..]);
                if let Ok(text) = std::str::from_utf8(&bytes[at..at + run])
                    && run > 0
                {
                    self.begin_text(at, to);
                    at += run;
                    to(text, at);
                    continue;
                }
                if let Some(ch) = whole_char(&bytes[at..]) {
                    self.begin_text(at, to);
                    at += ch.len_utf8();
                    to(ch.encode_utf8(&mut [0; 4]), at);
                    continue;
                }
            }
            let dropped = self.parser.dropped_len(&bytes[at..]);
            if dropped > 0 {
                at += dropped;
                continue;
            }
            let mut found = Found::Nothing;
            self.parser.step(bytes[at], &mut found);
            at += 1;
            self.handle(found, at, to);
        }
    }

    fn handle(&mut self, found: Found, at: usize, to: &mut impl FnMut(&str, usize)) {
        match found {
            Found::Nothing => {}
            Found::Return => self.returned = self.in_line,
            Found::LineFeed => {
                (self.in_line, self.returned) = (false, false);
                to("\n", at);
            }
            Found::Char(ch) => {
                self.begin_text(at - 1, to);
                to(ch.encode_utf8(&mut [0; 4]), at);
            }
        }
    }

    fn begin_text(&mut self, at: usize, to: &mut impl FnMut(&str, usize)) {
        self.in_line = true;
        if std::mem::take(&mut self.returned) {
            to("\n", at);
        }
    }
}

/// What one byte completed.
enum Found {
    Nothing,
    Return,
    LineFeed,
    Char(char),
}

impl Perform for Found {
    fn print_ascii(&mut self, text: &[u8]) {
        if let Some(&byte) = text.first() {
            *self = Self::Char(char::from(byte));
        }
    }

    fn print(&mut self, ch: char) {
        *self = Self::Char(ch);
    }

    fn execute(&mut self, code: u8) {
        match code {
            b'\r' => *self = Self::Return,
            // LF, VT, FF, IND and NEL.
            0x0a..=0x0c | 0x84 | 0x85 => *self = Self::LineFeed,
            b'\t' => *self = Self::Char('\t'),
            _ => {}
        }
    }

    fn csi(&mut self, _: Collected, _: u8, _: &Params) {}

    fn esc(&mut self, collected: Collected, byte: u8) {
        if (collected, byte) == (0, b'D') || (collected, byte) == (0, b'E') {
            *self = Self::LineFeed;
        }
    }

    fn osc(&mut self, _: u32, _: &Text<'_>) {}

    fn dcs(&mut self, _: Collected, _: u8, _: &Text<'_>) {}

    fn string_ended(&mut self) {}
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The text of the pieces, and for each of its bytes where it ended in the output.
    fn text(pieces: &[&[u8]]) -> (String, Vec<usize>) {
        let (mut plain, mut text, mut ends, mut from) =
            (PlainText::new(), String::new(), vec![], 0);
        for piece in pieces {
            plain.feed(piece, &mut |part, end| {
                text += part;
                ends.extend(
                    (1..=part.len()).map(|at| (from + end + at).saturating_sub(part.len())),
                );
            });
            from += piece.len();
        }
        (text, ends)
    }

    #[test]
    fn leaves_text_and_ends_of_lines() {
        for (output, expect) in [
            ("plain é 漢 🦀", "plain é 漢 🦀"),
            ("\x1b[1;31mred\x1b[0m\x1b[K", "red"),
            ("\x1b]0;title\x07a\x1b]133;A\x1b\\b\x1bPq#0\x1b\\c\x1b_x\x1b\\d", "abcd"),
            ("a\r\nb\nc\r\r\nd", "a\nb\nc\nd"),
            ("10%\r20%\r\n", "10%\n20%\n"),
            ("$ ls\r\n\x1b[?2004l\ra\r\n\rb", "$ ls\na\nb"),
            ("\r\ra\r\rb", "a\nb"),
            ("a\tb\x07\x08c\x1b(Bd", "a\tbcd"),
            ("a\u{85}b\x1bEc", "a\nb\nc"),
            ("\x1b[3\nm", "\n"),
            ("\r", ""),
        ] {
            assert_eq!(text(&[output.as_bytes()]).0, expect, "{output:?}");
        }
    }

    #[test]
    fn knows_where_text_was() {
        let output = "\x1b[1mab\x1b[0m\r\ncd";
        let (text, ends) = text(&[output.as_bytes()]);
        assert_eq!((text.as_str(), ends), ("ab\ncd", vec![5, 6, 12, 13, 14]));
    }

    proptest! {
        #[test]
        fn splitting_changes_nothing(
            bytes in crate::parser::tests::soup(), cut in any::<prop::sample::Index>()
        ) {
            let (before, after) = bytes.split_at(cut.index(bytes.len() + 1));
            prop_assert_eq!(text(&[&bytes]).0, text(&[before, after]).0);
        }
    }
}
