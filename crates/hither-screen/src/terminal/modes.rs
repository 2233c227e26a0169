//! Switching modes (SM, RM, DECSET, DECRST).

use super::{BufferKind, Terminal};
use crate::charset::Charset;
use crate::modes::{MouseEncoding, MouseProtocol};

impl Terminal {
    pub(super) const fn set_ansi_mode(&mut self, mode: i32, on: bool) {
        match mode {
            4 => self.modes.insert = on,
            20 => self.modes.newline = on,
            _ => {}
        }
    }

    pub(super) fn set_private_mode(&mut self, mode: i32) {
        let mouse = &mut self.modes.mouse;
        match mode {
            2 => (0..4).for_each(|slot| self.charsets.designate(slot, Charset::Ascii)),
            9 => mouse.protocol = MouseProtocol::X10,
            1000 => mouse.protocol = MouseProtocol::Vt200,
            1002 => mouse.protocol = MouseProtocol::Drag,
            1003 => mouse.protocol = MouseProtocol::Any,
            1006 => mouse.encoding = MouseEncoding::Sgr,
            1016 => mouse.encoding = MouseEncoding::SgrPixels,
            47 | 1047 => self.show_alternate(),
            1048 => self.save_cursor(),
            1049 => {
                self.save_cursor();
                self.show_alternate();
            }
            _ => self.switch_private_mode(mode, true),
        }
    }

    pub(super) fn reset_private_mode(&mut self, mode: i32) {
        let mouse = &mut self.modes.mouse;
        match mode {
            9 | 1000 | 1002 | 1003 => mouse.protocol = MouseProtocol::None,
            1006 | 1016 => mouse.encoding = MouseEncoding::Default,
            47 | 1047 => self.show_normal(),
            1048 => self.restore_cursor(),
            1049 => {
                self.show_normal();
                self.restore_cursor();
            }
            _ => self.switch_private_mode(mode, false),
        }
    }

    /// Modes that are just on or off.
    fn switch_private_mode(&mut self, mode: i32, on: bool) {
        let modes = &mut self.modes;
        match mode {
            1 => modes.application_cursor = on,
            6 => {
                modes.origin = on;
                self.set_cursor(0, 0);
            }
            7 => modes.wraparound = on,
            12 => modes.cursor_blink = Some(on),
            25 => modes.cursor_visible = on,
            45 => modes.reverse_wraparound = on,
            66 => modes.application_keypad = on,
            1004 => modes.focus_events = on,
            2004 => modes.bracketed_paste = on,
            2026 => modes.synchronized_output = on,
            _ => {}
        }
    }

    fn show_alternate(&mut self) {
        if self.active == BufferKind::Alternate {
            return;
        }
        let bg = self.bg();
        self.alternate.clear_text(bg);
        (self.alternate.x, self.alternate.y) = (self.normal.x, self.normal.y);
        self.active = BufferKind::Alternate;
    }

    fn show_normal(&mut self) {
        if self.active == BufferKind::Normal {
            return;
        }
        (self.normal.x, self.normal.y) = (self.alternate.x, self.alternate.y);
        self.alternate.clear();
        self.active = BufferKind::Normal;
    }
}
