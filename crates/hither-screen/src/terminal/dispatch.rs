//! From control functions to what they do.

use super::Terminal;
use crate::charset::Charset;
use crate::params::Params;
use crate::parser::{Collected, Perform, Text};

impl Perform for Terminal {
    fn print_ascii(&mut self, text: &[u8]) {
        self.write_ascii(text);
    }

    fn print(&mut self, ch: char) {
        self.write_char(ch);
    }

    fn execute(&mut self, code: u8) {
        match code {
            0x08 => self.backspace(),
            0x09 => self.tab(),
            0x0a..=0x0c => self.line_feed(),
            0x0d => self.buffer_mut().x = 0,
            0x0e => self.charsets.shift(1),
            0x0f => self.charsets.shift(0),
            0x84 => self.index(),
            0x85 => self.next_line(),
            0x88 => self.set_tab(),
            _ => {}
        }
        self.preceding = None;
    }

    fn csi(&mut self, collected: Collected, byte: u8, params: &Params) {
        match collected {
            0 => self.csi_plain(byte, params),
            QUESTION => self.csi_private(byte, params),
            GREATER => self.csi_greater(byte, params),
            _ => self.csi_intermediate(collected, byte, params),
        }
        self.preceding = None;
    }

    fn esc(&mut self, collected: Collected, byte: u8) {
        match (collected, byte) {
            (0, _) => self.esc_plain(byte),
            (HASH, b'8') => self.fill_with_e(),
            (PERCENT, b'@' | b'G') => {
                self.charsets.shift(0);
                self.charsets.designate(0, Charset::Ascii);
            }
            (PAREN_OPEN, _) => self.designate(0, byte),
            (PAREN_CLOSE | MINUS, _) => self.designate(1, byte),
            (STAR | DOT, _) => self.designate(2, byte),
            (PLUS, _) => self.designate(3, byte),
            _ => {}
        }
        self.preceding = None;
    }

    fn osc(&mut self, number: u32, text: &Text<'_>) {
        self.operating_system_command(number, text);
    }

    fn dcs(&mut self, collected: Collected, byte: u8, text: &Text<'_>) {
        if collected == DOLLAR && byte == b'q' {
            self.report_setting(text);
        }
    }

    fn string_ended(&mut self) {
        self.preceding = None;
    }
}

const SPACE: Collected = b' ' as Collected;
const BANG: Collected = b'!' as Collected;
const QUOTE: Collected = b'"' as Collected;
const HASH: Collected = b'#' as Collected;
const DOLLAR: Collected = b'$' as Collected;
const PERCENT: Collected = b'%' as Collected;
const APOSTROPHE: Collected = b'\'' as Collected;
const PAREN_OPEN: Collected = b'(' as Collected;
const PAREN_CLOSE: Collected = b')' as Collected;
const STAR: Collected = b'*' as Collected;
const PLUS: Collected = b'+' as Collected;
const MINUS: Collected = b'-' as Collected;
const DOT: Collected = b'.' as Collected;
const GREATER: Collected = b'>' as Collected;
const QUESTION: Collected = b'?' as Collected;
const QUESTION_DOLLAR: Collected = QUESTION << 8 | DOLLAR;

impl Terminal {
    fn esc_plain(&mut self, byte: u8) {
        match byte {
            b'7' => self.save_cursor(),
            b'8' => self.restore_cursor(),
            b'D' => self.index(),
            b'E' => self.next_line(),
            b'H' => self.set_tab(),
            b'M' => self.reverse_index(),
            b'=' => self.modes.application_keypad = true,
            b'>' => self.modes.application_keypad = false,
            b'c' => self.reset(),
            b'n' | b'}' => self.charsets.shift(2),
            b'o' | b'|' => self.charsets.shift(3),
            b'~' => self.charsets.shift(1),
            _ => {}
        }
    }

    fn csi_plain(&mut self, byte: u8, params: &Params) {
        match byte {
            b'A'..=b'I' | b'Z' | b'`' | b'a' | b'd' | b'e' | b'f' | b'r' | b's' | b'u' | b'g' => {
                self.csi_cursor(byte, params);
            }
            b'@' | b'J'..=b'M' | b'P' | b'S' | b'T' | b'X' => self.csi_edit(byte, params),
            b'b' => self.repeat(params.count(0)),
            b'c' | b'n' | b't' => self.csi_report(byte, params),
            b'h' => params.values().iter().for_each(|&mode| self.set_ansi_mode(mode, true)),
            b'l' => params.values().iter().for_each(|&mode| self.set_ansi_mode(mode, false)),
            b'm' => self.pen.select(params),
            _ => {}
        }
    }

    fn csi_private(&mut self, byte: u8, params: &Params) {
        match byte {
            b'J' => self.erase_in_display(params.value(0), crate::row::Protection::Respected),
            b'K' => self.erase_in_line(params.value(0), crate::row::Protection::Respected),
            b'h' => params.values().iter().for_each(|&mode| self.set_private_mode(mode)),
            b'l' => params.values().iter().for_each(|&mode| self.reset_private_mode(mode)),
            b'n' => self.report_private_status(params.value(0)),
            _ => {}
        }
    }

    fn csi_greater(&mut self, byte: u8, params: &Params) {
        match byte {
            b'c' => self.report_secondary_attributes(params.value(0)),
            b'q' => self.report_version(params.value(0)),
            _ => {}
        }
    }

    fn csi_intermediate(&mut self, collected: Collected, byte: u8, params: &Params) {
        match (collected, byte) {
            (SPACE, b'@') => self.scroll_left(params.count(0)),
            (SPACE, b'A') => self.scroll_right(params.count(0)),
            (SPACE, b'q') => self.modes.set_cursor_shape(params.value(0)),
            (BANG, b'p') => self.soft_reset(),
            (QUOTE, b'q') => self.pen.set_protected(params.value(0)),
            (APOSTROPHE, b'}') => self.insert_columns(params.count(0)),
            (APOSTROPHE, b'~') => self.delete_columns(params.count(0)),
            (DOLLAR, b'p') => self.report_ansi_mode(params.value(0)),
            (QUESTION_DOLLAR, b'p') => self.report_private_mode(params.value(0)),
            _ => {}
        }
    }
}
