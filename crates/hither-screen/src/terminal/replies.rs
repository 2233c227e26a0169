//! Answers to queries.
//!
//! They are the page's terminal's answers, and nothing in them comes from the program: numbers of
//! modes and places, fixed texts, colours as hexadecimal digits.

use super::{BufferKind, Terminal};
use crate::modes::{MouseEncoding, MouseProtocol};
use crate::palette::ColorSlot;
use crate::params::Params;
use crate::parser::Text;

/// Most bytes of answers between two calls of `take_replies`; more are not given.
const REPLIES_BYTES_MAX: usize = 4096;

/// How DECRPM answers.
#[derive(Clone, Copy, Debug)]
enum ModeReport {
    Unknown = 0,
    Set = 1,
    Reset = 2,
    AlwaysSet = 3,
    AlwaysReset = 4,
}

impl From<bool> for ModeReport {
    fn from(on: bool) -> Self {
        if on { Self::Set } else { Self::Reset }
    }
}

impl Terminal {
    fn reply(&mut self, text: &str) {
        if self.replies.len() + text.len() <= REPLIES_BYTES_MAX {
            self.replies.extend_from_slice(text.as_bytes());
        }
    }

    pub(super) fn csi_report(&mut self, byte: u8, params: &Params) {
        match (byte, params.value(0)) {
            (b'c', 0) => self.reply("\x1b[?1;2c"),
            (b'n', 5) => self.reply("\x1b[0n"),
            (b'n', 6) => self.report_cursor(""),
            (b't', 18) => {
                let text = format!("\x1b[8;{};{}t", self.rows(), self.cols());
                self.reply(&text);
            }
            _ => {}
        }
    }

    pub(super) fn report_private_status(&mut self, which: i32) {
        if which == 6 {
            self.report_cursor("?");
        }
    }

    fn report_cursor(&mut self, prefix: &str) {
        let buffer = self.buffer();
        let text = format!("\x1b[{prefix}{};{}R", buffer.y + 1, buffer.x + 1);
        self.reply(&text);
    }

    pub(super) fn report_secondary_attributes(&mut self, which: i32) {
        if which == 0 {
            self.reply("\x1b[>0;276;0c");
        }
    }

    /// XTVERSION: names what the person looks at, so that programs know its habits.
    pub(super) fn report_version(&mut self, which: i32) {
        if which == 0 {
            self.reply("\x1bP>|xterm.js(6.0.0)\x1b\\");
        }
    }

    pub(super) fn report_ansi_mode(&mut self, mode: i32) {
        let report = match mode {
            2 => ModeReport::AlwaysReset,
            4 => self.modes.insert.into(),
            12 => ModeReport::AlwaysSet,
            20 => self.modes.newline.into(),
            _ => ModeReport::Unknown,
        };
        let text = format!("\x1b[{mode};{}$y", report as u8);
        self.reply(&text);
    }

    pub(super) fn report_private_mode(&mut self, mode: i32) {
        let (modes, mouse) = (&self.modes, &self.modes.mouse);
        let report = match mode {
            1 => modes.application_cursor.into(),
            6 => modes.origin.into(),
            7 => modes.wraparound.into(),
            8 => ModeReport::AlwaysSet,
            9 => (mouse.protocol == MouseProtocol::X10).into(),
            12 => modes.cursor_blink.unwrap_or(false).into(),
            25 => modes.cursor_visible.into(),
            45 => modes.reverse_wraparound.into(),
            66 => modes.application_keypad.into(),
            67 | 1005 | 1015 => ModeReport::AlwaysReset,
            1000 => (mouse.protocol == MouseProtocol::Vt200).into(),
            1002 => (mouse.protocol == MouseProtocol::Drag).into(),
            1003 => (mouse.protocol == MouseProtocol::Any).into(),
            1004 => modes.focus_events.into(),
            1006 => (mouse.encoding == MouseEncoding::Sgr).into(),
            1016 => (mouse.encoding == MouseEncoding::SgrPixels).into(),
            1048 => ModeReport::Set,
            47 | 1047 | 1049 => (self.active == BufferKind::Alternate).into(),
            2004 => modes.bracketed_paste.into(),
            2026 => modes.synchronized_output.into(),
            _ => ModeReport::Unknown,
        };
        let text = format!("\x1b[?{mode};{}$y", report as u8);
        self.reply(&text);
    }

    pub(super) fn report_color(&mut self, slot: ColorSlot) {
        let (r, g, b) = self.palette.lookup(slot, &self.theme);
        let number = slot.number();
        self.reply(&format!(
            "\x1b]{number};rgb:{r:02x}{r:02x}/{g:02x}{g:02x}/{b:02x}{b:02x}\x1b\\"
        ));
    }

    /// DECRQSS.
    pub(super) fn report_setting(&mut self, text: &Text<'_>) {
        let (top, bottom) = (self.buffer().top + 1, self.buffer().bottom + 1);
        let protected = self.pen.save().attributes.contains(crate::cell::Attributes::PROTECTED);
        let answer = match text.text {
            "\"q" => format!("1$r{}\"q", u8::from(protected)),
            "\"p" => "1$r61;1\"p".to_owned(),
            "r" => format!("1$r{top};{bottom}r"),
            "m" => "1$r0m".to_owned(),
            " q" => format!("1$r{} q", 2 - u8::from(self.modes.cursor_blink.unwrap_or(false))),
            _ => "0$r".to_owned(),
        };
        self.reply(&format!("\x1bP{answer}\x1b\\"));
    }
}
