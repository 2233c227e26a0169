//! Operating system commands: title, colours, hyperlinks.

use std::sync::Arc;

use super::Terminal;
use crate::palette::{ColorSlot, parse_color, parse_index, slots_from};
use crate::parser::Text;
use crate::pool::Hyperlink;
use crate::title::sanitize_title;

/// Longest address of a hyperlink in bytes; a longer one is no link.
const URI_BYTES_MAX: usize = 2048;
/// Longest `id=` of a hyperlink in bytes.
const LINK_ID_BYTES_MAX: usize = 256;

impl Terminal {
    pub(super) fn operating_system_command(&mut self, number: u32, text: &Text<'_>) {
        match number {
            0 | 2 => self.title = sanitize_title(text.text),
            4 if text.complete => self.set_or_report_palette(text.text),
            8 if text.complete => self.set_hyperlink(text.text),
            8 => self.pen.set_link(None),
            10..=12 if text.complete => self.set_or_report_special(number, text.text),
            104 if text.complete => self.restore_palette(text.text),
            110 => self.palette.restore(ColorSlot::Foreground),
            111 => self.palette.restore(ColorSlot::Background),
            112 => self.palette.restore(ColorSlot::Cursor),
            _ => {}
        }
    }

    fn set_or_report_palette(&mut self, text: &str) {
        let mut parts = text.split(';');
        while let (Some(index), Some(spec)) = (parts.next(), parts.next()) {
            if let Some(index) = parse_index(index) {
                self.set_or_report(ColorSlot::Indexed(index), spec);
            }
        }
    }

    fn set_or_report_special(&mut self, number: u32, text: &str) {
        for (slot, spec) in slots_from(number).zip(text.split(';')) {
            self.set_or_report(slot, spec);
        }
    }

    fn set_or_report(&mut self, slot: ColorSlot, spec: &str) {
        if spec == "?" {
            self.report_color(slot);
        } else if let Some(rgb) = parse_color(spec) {
            self.palette.set(slot, rgb);
        }
    }

    fn restore_palette(&mut self, text: &str) {
        if text.is_empty() {
            self.palette.restore_indexed();
            return;
        }
        for index in text.split(';').filter_map(parse_index) {
            self.palette.restore(ColorSlot::Indexed(index));
        }
    }

    /// OSC 8 (<https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda>).
    fn set_hyperlink(&mut self, text: &str) {
        let Some((params, uri)) = text.split_once(';') else {
            return;
        };
        let params = params.trim();
        if uri.is_empty() {
            if params.is_empty() {
                self.pen.set_link(None);
            }
            return;
        }
        if uri.len() > URI_BYTES_MAX {
            self.pen.set_link(None);
            return;
        }
        let id = params.split(':').find_map(|param| param.strip_prefix("id="));
        let id = id.filter(|id| !id.is_empty() && id.len() <= LINK_ID_BYTES_MAX);
        let link = Hyperlink { id: id.map(Into::into), uri: uri.into() };
        self.pen.set_link(Some(Arc::new(link)));
    }
}
