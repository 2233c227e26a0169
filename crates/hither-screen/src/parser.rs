//! Splits a stream of bytes into characters and control functions.
//!
//! The states are those of the VT500 diagram (<https://vt100.net/emu/dec_ansi_parser>) with the
//! page's terminal's answers where the diagram is silent: UTF-8 is decoded first, U+0080 to U+009F
//! are C1 controls, a character above them ends every sequence but a string.
//!
//! The parser can be stopped anywhere, keeps a bounded amount of every sequence, and can write the
//! bytes that bring a fresh parser into its state ([`Parser::write_pending`]), so that a snapshot
//! may be taken in the middle of a sequence.

mod pending;

use crate::params::Params;
use crate::utf8::{Decoded, Utf8};

/// Longest string (OSC, DCS) that is kept, in bytes; the rest is read and dropped. An OSC 8 with
/// an address beyond it is no link.
pub(crate) const STRING_BYTES_MAX: usize = 4096;

/// Identifies a control sequence: up to four prefix and intermediate bytes, the latest lowest.
pub(crate) type Collected = u32;

/// Receives what the parser finds.
pub(crate) trait Perform {
    /// Printable ASCII.
    fn print_ascii(&mut self, text: &[u8]);
    /// A character beyond ASCII.
    fn print(&mut self, ch: char);
    /// A C0 or C1 control, as its code.
    fn execute(&mut self, code: u8);
    /// A control sequence.
    fn csi(&mut self, collected: Collected, byte: u8, params: &Params);
    /// An escape sequence.
    fn esc(&mut self, collected: Collected, byte: u8);
    /// An operating system command: its number and text.
    fn osc(&mut self, number: u32, text: &Text<'_>);
    /// A device control string.
    fn dcs(&mut self, collected: Collected, byte: u8, text: &Text<'_>);
    /// A control string ended that means nothing here.
    fn string_ended(&mut self);
}

/// What was kept of a control string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'a> {
    /// The text from its start.
    pub(crate) text: &'a str,
    /// Whether that is all of it.
    pub(crate) complete: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ground,
    Escape,
    EscapeIntermediate,
    CsiEntry,
    CsiParam,
    CsiIntermediate,
    CsiIgnore,
    Osc(Osc),
    DcsEntry,
    DcsParam,
    DcsIntermediate,
    DcsIgnore,
    DcsPassthrough(u8),
    /// SOS, PM and APC: read and dropped.
    Ignored,
}

/// How far an operating system command has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Osc {
    /// Reading the number; `None` before its first digit.
    Number(Option<u32>),
    /// Reading the text.
    Text(Option<u32>),
    /// Not a number: nothing will come of it.
    Invalid,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Parser {
    state: State,
    utf8: Utf8,
    collected: Collected,
    params: Params,
    string: String,
    string_complete: bool,
}

impl Default for Parser {
    fn default() -> Self {
        Self {
            state: State::Ground,
            utf8: Utf8::default(),
            collected: 0,
            params: Params::default(),
            string: String::new(),
            string_complete: true,
        }
    }
}

impl Parser {
    /// Whether the next byte starts something new.
    pub(crate) fn is_ground(&self) -> bool {
        self.state == State::Ground && self.utf8.is_empty()
    }

    /// Reads `bytes` and reports what they say.
    pub(crate) fn feed(&mut self, bytes: &[u8], to: &mut impl Perform) {
        let mut at = 0;
        while at < bytes.len() {
            if self.is_ground() {
                let run = printable_len(&bytes[at..]);
                if run > 0 {
                    to.print_ascii(&bytes[at..at + run]);
                    at += run;
                    continue;
                }
                if let Some(ch) = whole_char(&bytes[at..]) {
                    to.print(ch);
                    at += ch.len_utf8();
                    continue;
                }
            }
            let dropped = self.dropped_len(&bytes[at..]);
            if dropped > 0 {
                at += dropped;
                continue;
            }
            self.byte(bytes[at], to);
            at += 1;
        }
    }

    /// Reads one byte.
    pub(crate) fn step(&mut self, byte: u8, to: &mut impl Perform) {
        self.byte(byte, to);
    }

    /// Whether the open sequence, if any, may still become one that stays within its line.
    pub(crate) fn may_stay_in_line(&self) -> bool {
        match self.state {
            State::Ground | State::Escape | State::CsiEntry => true,
            State::EscapeIntermediate => self.collected == Collected::from(b'('),
            State::CsiParam => self.collected == 0,
            State::CsiIntermediate
            | State::CsiIgnore
            | State::Osc(_)
            | State::DcsEntry
            | State::DcsParam
            | State::DcsIntermediate
            | State::DcsIgnore
            | State::DcsPassthrough(_)
            | State::Ignored => false,
        }
    }

    /// How many bytes at the start of `bytes` belong to a string of which nothing more is kept.
    pub(crate) fn dropped_len(&self, bytes: &[u8]) -> usize {
        let meaningless =
            matches!(self.state, State::Osc(Osc::Invalid) | State::Ignored | State::DcsIgnore);
        let kept = matches!(self.state, State::Osc(Osc::Text(_)) | State::DcsPassthrough(_));
        let dropping = meaningless || (kept && !self.string_complete);
        if !dropping || !self.utf8.is_empty() {
            return 0;
        }
        let means_something = |&byte: &u8| matches!(byte, 0x07 | 0x18 | 0x1a | 0x1b | 0x80..);
        bytes.iter().position(means_something).unwrap_or(bytes.len())
    }

    fn byte(&mut self, byte: u8, to: &mut impl Perform) {
        loop {
            match self.utf8.push(byte) {
                Decoded::Char(ch) => return self.char(ch, to),
                Decoded::Nothing => return,
                Decoded::Again => {}
            }
        }
    }

    fn char(&mut self, ch: char, to: &mut impl Perform) {
        match u8::try_from(ch) {
            Ok(code) if code < 0xa0 => self.code(code, to),
            _ => self.beyond_ascii(ch, to),
        }
    }

    /// A character from U+00A0 on.
    fn beyond_ascii(&mut self, ch: char, to: &mut impl Perform) {
        match self.state {
            State::Ground => to.print(ch),
            State::Osc(_) => self.osc_char(ch),
            State::DcsPassthrough(_) => self.string_char(ch),
            State::CsiIgnore | State::DcsIgnore => {}
            State::Escape
            | State::EscapeIntermediate
            | State::CsiEntry
            | State::CsiParam
            | State::CsiIntermediate
            | State::DcsEntry
            | State::DcsParam
            | State::DcsIntermediate
            | State::Ignored => self.state = State::Ground,
        }
    }

    fn code(&mut self, code: u8, to: &mut impl Perform) {
        if matches!(code, 0x18 | 0x1a | 0x1b | 0x80..=0x9f) {
            self.anywhere(code, to);
        } else if code < 0x20 {
            self.c0(code, to);
        } else {
            self.graphic(code, to);
        }
    }

    /// CAN, SUB, ESC and the C1 controls mean the same in every state.
    fn anywhere(&mut self, code: u8, to: &mut impl Perform) {
        let cancelled = matches!(code, 0x18 | 0x1a);
        let in_string = matches!(self.state, State::Osc(_) | State::DcsPassthrough(_));
        let ended = in_string && matches!(code, 0x18 | 0x1a..=0x1b | 0x9c);
        if ended {
            self.end_string(cancelled, to);
        }
        self.state = match code {
            0x1b => self.start(State::Escape),
            0x9b => self.start(State::CsiEntry),
            0x9d => self.start(State::Osc(Osc::Number(None))),
            0x90 => self.start(State::DcsEntry),
            0x98 | 0x9e | 0x9f => State::Ignored,
            _ => State::Ground,
        };
        let is_control = !matches!(code, 0x1b | 0x90 | 0x98 | 0x9b..=0x9f);
        if is_control && !ended {
            to.execute(code);
        }
    }

    fn start(&mut self, state: State) -> State {
        self.collected = 0;
        self.params.reset();
        self.string.clear();
        self.string_complete = true;
        state
    }

    fn c0(&mut self, code: u8, to: &mut impl Perform) {
        match self.state {
            State::Osc(_) if code == 0x07 => {
                self.end_string(false, to);
                self.state = State::Ground;
            }
            State::DcsPassthrough(_) => self.string_char(char::from(code)),
            State::Osc(_)
            | State::DcsEntry
            | State::DcsParam
            | State::DcsIntermediate
            | State::DcsIgnore
            | State::Ignored => {}
            State::Ground
            | State::Escape
            | State::EscapeIntermediate
            | State::CsiEntry
            | State::CsiParam
            | State::CsiIntermediate
            | State::CsiIgnore => to.execute(code),
        }
    }

    /// A code from 0x20 to 0x7f.
    fn graphic(&mut self, code: u8, to: &mut impl Perform) {
        match self.state {
            State::Ground if code < 0x7f => to.print_ascii(&[code]),
            State::Osc(_) => self.osc_char(char::from(code)),
            State::DcsPassthrough(_) if code < 0x7f => self.string_char(char::from(code)),
            State::Ground | State::DcsPassthrough(_) | State::Ignored | State::DcsIgnore => {}
            _ if code == 0x7f => {}
            State::Escape | State::EscapeIntermediate => self.escape(code, to),
            State::CsiEntry | State::CsiParam | State::CsiIntermediate | State::CsiIgnore => {
                self.csi(code, to);
            }
            State::DcsEntry | State::DcsParam | State::DcsIntermediate => self.dcs(code),
        }
    }

    fn escape(&mut self, code: u8, to: &mut impl Perform) {
        let first = self.state == State::Escape;
        self.state = match code {
            0x20..=0x2f => {
                self.collect(code);
                State::EscapeIntermediate
            }
            b'[' if first => self.start(State::CsiEntry),
            b']' if first => self.start(State::Osc(Osc::Number(None))),
            b'P' if first => self.start(State::DcsEntry),
            b'X' | b'^' | b'_' if first => State::Ignored,
            _ => {
                to.esc(self.collected, code);
                State::Ground
            }
        };
    }

    fn csi(&mut self, code: u8, to: &mut impl Perform) {
        self.state = match (self.state, code) {
            (State::CsiIgnore, 0x40..) => State::Ground,
            (State::CsiIgnore, _) => State::CsiIgnore,
            (_, 0x40..) => {
                to.csi(self.collected, code, &self.params);
                State::Ground
            }
            (_, 0x20..=0x2f) => {
                self.collect(code);
                State::CsiIntermediate
            }
            (State::CsiEntry, 0x3c..=0x3f) => {
                self.collect(code);
                State::CsiParam
            }
            (State::CsiEntry | State::CsiParam, 0x30..=0x3b) => {
                self.params.put(code);
                State::CsiParam
            }
            _ => State::CsiIgnore,
        };
    }

    fn dcs(&mut self, code: u8) {
        self.state = match (self.state, code) {
            (_, 0x40..) => State::DcsPassthrough(code),
            (_, 0x20..=0x2f) => {
                self.collect(code);
                State::DcsIntermediate
            }
            (State::DcsEntry, 0x3c..=0x3f) => {
                self.collect(code);
                State::DcsParam
            }
            (State::DcsEntry | State::DcsParam, 0x30..=0x3b) => {
                self.params.put(code);
                State::DcsParam
            }
            _ => State::DcsIgnore,
        };
    }

    const fn collect(&mut self, code: u8) {
        self.collected = (self.collected << 8) | code as u32;
    }

    fn osc_char(&mut self, ch: char) {
        let State::Osc(osc) = &mut self.state else {
            return;
        };
        match (*osc, ch) {
            (Osc::Number(number), ';') => *osc = Osc::Text(number),
            (Osc::Number(number), '0'..='9') => {
                let digit = u32::from(ch) - u32::from('0');
                *osc =
                    Osc::Number(Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit)));
            }
            (Osc::Number(_), _) => *osc = Osc::Invalid,
            (Osc::Text(_), _) => self.string_char(ch),
            (Osc::Invalid, _) => {}
        }
    }

    fn string_char(&mut self, ch: char) {
        if self.string_complete && self.string.len() + ch.len_utf8() <= STRING_BYTES_MAX {
            self.string.push(ch);
        } else {
            self.string_complete = false;
        }
    }

    fn end_string(&self, cancelled: bool, to: &mut impl Perform) {
        let text = Text { text: &self.string, complete: self.string_complete };
        if cancelled {
            // Nothing comes of it.
        } else if let State::Osc(Osc::Number(Some(number)) | Osc::Text(Some(number))) = self.state {
            to.osc(number, &text);
        } else if let State::DcsPassthrough(byte) = self.state {
            to.dcs(self.collected, byte, &text);
        }
        to.string_ended();
    }
}

/// The character from U+00C0 on that `bytes` start with, if it is complete and no special case.
pub(crate) fn whole_char(bytes: &[u8]) -> Option<char> {
    let len = match bytes.first()? {
        0xc3..=0xdf => 2,
        0xe0..=0xee => 3,
        0xf0..=0xf7 => 4,
        _ => return None,
    };
    std::str::from_utf8(bytes.get(..len)?).ok()?.chars().next()
}

/// How many bytes at the start of `bytes` are printable ASCII.
pub(crate) fn printable_len(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !(0x20..0x7f).contains(byte)).unwrap_or(bytes.len())
}

#[cfg(test)]
pub(crate) mod tests;
