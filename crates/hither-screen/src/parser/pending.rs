//! The state of a parser as bytes.

use super::{Osc, Parser, State};

impl Parser {
    /// Writes the bytes that bring a parser in its first state into this one. They do nothing
    /// else: what the open sequence has done so far (controls inside it) is not repeated.
    pub(crate) fn write_pending(&self, out: &mut Vec<u8>) {
        match self.state {
            State::Ground => {}
            State::Escape | State::EscapeIntermediate => {
                out.push(0x1b);
                self.write_collected(out);
            }
            State::CsiEntry | State::CsiParam | State::CsiIntermediate => {
                out.extend_from_slice(b"\x1b[");
                self.write_sequence(out, self.state == State::CsiParam);
            }
            State::CsiIgnore => out.extend_from_slice(b"\x1b[<<"),
            State::DcsEntry | State::DcsParam | State::DcsIntermediate => {
                out.extend_from_slice(b"\x1bP");
                self.write_sequence(out, self.state == State::DcsParam);
            }
            State::DcsIgnore => out.extend_from_slice(b"\x1bP<<"),
            State::DcsPassthrough(byte) => {
                out.extend_from_slice(b"\x1bP");
                self.write_sequence(out, false);
                out.push(byte);
                self.write_string(out);
            }
            State::Osc(osc) => self.write_osc(osc, out),
            State::Ignored => out.extend_from_slice(b"\x1b_"),
        }
        out.extend_from_slice(self.utf8.pending());
    }

    fn write_osc(&self, osc: Osc, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\x1b]");
        if let Osc::Number(Some(number)) | Osc::Text(Some(number)) = osc {
            out.extend_from_slice(number.to_string().as_bytes());
        }
        match osc {
            Osc::Number(_) => {}
            Osc::Text(_) => {
                out.push(b';');
                self.write_string(out);
            }
            Osc::Invalid => out.push(b'x'),
        }
    }

    /// A string that was cut is written one character too long, so that it is cut again.
    fn write_string(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.string.as_bytes());
        if !self.string_complete {
            out.extend_from_slice("\u{10ffff}".as_bytes());
        }
    }

    fn collected_bytes(&self) -> impl Iterator<Item = u8> {
        self.collected.to_be_bytes().into_iter().filter(|&byte| byte != 0)
    }

    fn write_collected(&self, out: &mut Vec<u8>) {
        out.extend(self.collected_bytes());
    }

    /// Prefix, parameters, intermediates.
    fn write_sequence(&self, out: &mut Vec<u8>, in_params: bool) {
        let is_prefix = |byte: &u8| (0x3c..=0x3f).contains(byte);
        out.extend(self.collected_bytes().filter(is_prefix));
        let from = out.len();
        self.params.write_to(out);
        if in_params && out.len() == from && self.collected == 0 {
            out.push(b'0');
        }
        out.extend(self.collected_bytes().filter(|byte| !is_prefix(byte)));
    }
}
