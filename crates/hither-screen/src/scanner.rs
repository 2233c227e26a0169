//! A light look at output as it passes: queries, titles, bells, and whether it is plain.

use hither_core::ShellMark;
use memchr::memrchr2;

use crate::params::Params;
use crate::parser::{Collected, Parser, Perform, Text};
use crate::shell::{Directory, parse_directory, parse_mark};
use crate::stops::Stops;
use crate::title::sanitize_title;

/// Something in the output that the gateway has to know at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The program asks the terminal something; the answer is [`crate::Screen::take_replies`] of a
    /// screen that was fed up to and with this sequence.
    Query {
        /// What it asks.
        kind: QueryKind,
        /// Index in the scanned slice after the byte that completes the query; that is the ESC of
        /// a string's terminator.
        end: usize,
    },
    /// The title changed (OSC 0 or 2): text without control characters and bidirectional controls,
    /// at most [`crate::TITLE_CHARS_MAX`] characters.
    Title(String),
    /// The bell rang.
    Bell,
    /// The shell marked a place in its output (OSC 133).
    Mark {
        /// What is there.
        mark: ShellMark,
        /// Index in the scanned slice after the byte that completes the mark; that is the ESC of a
        /// string's terminator.
        end: usize,
    },
    /// The shell said which directory it is in (OSC 7).
    Directory(Directory),
}

/// What a program asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryKind {
    /// DA1: what kind of terminal.
    PrimaryAttributes,
    /// DA2: which version of it.
    SecondaryAttributes,
    /// DSR 5: whether all is well.
    Status,
    /// CPR and DECXCPR: where the cursor is.
    CursorPosition,
    /// DECRQM: whether a mode is on.
    Mode,
    /// DECRQSS: how something is set.
    Setting,
    /// OSC 4, 10, 11, 12 with `?`: colours.
    Color,
    /// XTVERSION: which program the terminal is.
    Version,
    /// XTWINOPS 18: the size of the window in characters.
    WindowSize,
}

/// Scans output at memory speed: it stops only at ESC, BEL and the lead byte of C1 controls.
///
/// It knows the same sequences as [`crate::Screen`], because it reads them with the same parser,
/// wherever the output is cut; it keeps at most 4 KiB of a sequence.
#[derive(Clone, Debug, Default)]
pub struct Scanner {
    parser: Parser,
    /// Bytes scanned so far.
    scanned: u64,
    plain_since: u64,
}

impl Scanner {
    /// A scanner at the birth of a session.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes scanned so far.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.scanned
    }

    /// Position, counted in bytes scanned, after which only plain output came: text, line feeds
    /// and other harmless controls, and sequences that change nothing beyond the line of the
    /// cursor and the pen (SGR, EL, ECH, CUF, CHA and the like). See [`crate::find_skip`].
    #[must_use]
    pub const fn plain_since(&self) -> u64 {
        self.plain_since
    }

    /// Looks at the next bytes of output and reports what is to be known, in order.
    pub fn scan(&mut self, bytes: &[u8], notices: &mut impl FnMut(Notice)) {
        let mut at = 0;
        let mut stops = Stops::new(bytes);
        let mut watch = Watch { end: 0, plain_until: None, notices };
        while at < bytes.len() {
            if self.parser.is_ground() {
                let Some(found) = stops.next(at) else { break };
                at = found;
                if let Some(len) = harmless_len(&bytes[at..]) {
                    at += len;
                    continue;
                }
                if bytes[at] == 0x07 {
                    (watch.notices)(Notice::Bell);
                    at += 1;
                    continue;
                }
            }
            let dropped = self.parser.dropped_len(&bytes[at..]);
            if dropped > 0 {
                at += dropped;
                continue;
            }
            watch.end = at + 1;
            self.parser.step(bytes[at], &mut watch);
            at += 1;
            if !self.parser.may_stay_in_line() {
                watch.plain_until = Some(at);
            }
        }
        // SO and SI switch character sets; no sequence introduces them.
        let shifted = memrchr2(0x0e, 0x0f, bytes).map(|at| at + 1);
        if let Some(until) = watch.plain_until.max(shifted) {
            self.plain_since = self.scanned + until as u64;
        }
        self.scanned += bytes.len() as u64;
    }
}

/// Final bytes of control sequences that change only the pen or the line of the cursor.
const fn stays_in_line(byte: u8) -> bool {
    matches!(
        byte,
        b'm' | b'K' | b'@' | b'C' | b'D' | b'G' | b'I' | b'P' | b'X' | b'Z' | b'`' | b'a' | b'b'
    )
}

/// Length of what may be left out at a stop: a control sequence that is whole and stays in its line,
/// or a lead byte that begins no C1 control.
#[inline]
fn harmless_len(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0x1b, b'[', params @ ..] => {
            let len = params.iter().position(|byte| !(0x30..0x3c).contains(byte))?;
            if stays_in_line(params[len]) { Some(len + 3) } else { None }
        }
        [0xc2, next, ..] if !(0x80..0xa0).contains(next) => Some(1),
        _ => None,
    }
}

/// Reports what the parser finds.
struct Watch<'a, F> {
    /// Index after the byte that the parser reads.
    end: usize,
    /// Index after the last byte that is not plain.
    plain_until: Option<usize>,
    notices: &'a mut F,
}

impl<F: FnMut(Notice)> Watch<'_, F> {
    fn query(&mut self, kind: Option<QueryKind>) {
        if let Some(kind) = kind {
            (self.notices)(Notice::Query { kind, end: self.end });
        }
    }

    const fn not_plain(&mut self) {
        self.plain_until = Some(self.end);
    }
}

impl<F: FnMut(Notice)> Perform for Watch<'_, F> {
    fn print_ascii(&mut self, _: &[u8]) {}

    fn print(&mut self, _: char) {}

    fn execute(&mut self, code: u8) {
        self.not_plain();
        if code == 0x07 {
            (self.notices)(Notice::Bell);
        }
    }

    fn csi(&mut self, collected: Collected, byte: u8, params: &Params) {
        if collected != 0 || !stays_in_line(byte) {
            self.not_plain();
        }
        self.query(csi_query(collected, byte, params.value(0)));
    }

    fn esc(&mut self, collected: Collected, byte: u8) {
        let harmless = matches!((collected, byte), (0, b'\\') | (PAREN, b'B'));
        if !harmless {
            self.not_plain();
        }
    }

    fn osc(&mut self, number: u32, text: &Text<'_>) {
        if matches!(number, 0 | 2) {
            (self.notices)(Notice::Title(sanitize_title(text.text)));
        } else if number == 133 && text.complete {
            if let Some(mark) = parse_mark(text.text) {
                (self.notices)(Notice::Mark { mark, end: self.end });
            }
        } else if number == 7 && text.complete {
            if let Some(directory) = parse_directory(text.text) {
                (self.notices)(Notice::Directory(directory));
            }
        } else if text.complete && asks_for_color(number, text.text) {
            self.query(Some(QueryKind::Color));
        }
    }

    fn dcs(&mut self, collected: Collected, byte: u8, _: &Text<'_>) {
        if collected == Collected::from(b'$') && byte == b'q' {
            self.query(Some(QueryKind::Setting));
        }
    }

    fn string_ended(&mut self) {
        self.not_plain();
    }
}

const PAREN: Collected = b'(' as Collected;
const GREATER: Collected = b'>' as Collected;
const QUESTION: Collected = b'?' as Collected;
const DOLLAR: Collected = b'$' as Collected;
const QUESTION_DOLLAR: Collected = QUESTION << 8 | DOLLAR;

fn csi_query(collected: Collected, byte: u8, first: i32) -> Option<QueryKind> {
    match (collected, byte, first) {
        (0, b'c', 0) => Some(QueryKind::PrimaryAttributes),
        (GREATER, b'c', 0) => Some(QueryKind::SecondaryAttributes),
        (0, b'n', 5) => Some(QueryKind::Status),
        (0 | QUESTION, b'n', 6) => Some(QueryKind::CursorPosition),
        (DOLLAR | QUESTION_DOLLAR, b'p', _) => Some(QueryKind::Mode),
        (GREATER, b'q', 0) => Some(QueryKind::Version),
        (0, b't', 18) => Some(QueryKind::WindowSize),
        _ => None,
    }
}

fn asks_for_color(number: u32, text: &str) -> bool {
    match number {
        4 => {
            let parts: Vec<&str> = text.split(';').collect();
            parts
                .chunks_exact(2)
                .any(|pair| crate::palette::parse_index(pair[0]).is_some() && pair[1] == "?")
        }
        10..=12 => {
            crate::palette::slots_from(number).zip(text.split(';')).any(|(_, spec)| spec == "?")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
