//! The check of a flood.

use std::ops::Range;

use super::Damage;
use super::flood::{FLOOD_END, FLOOD_LINE, HEADER, line, line_number, number_line};

const LINE: u64 = FLOOD_LINE as u64;
/// Longest piece without a line end that is kept.
const PIECE_MAX: usize = 64 * FLOOD_LINE;

/// Checks a flood as it arrives: every byte is compared.
///
/// The right line costs one comparison. A wrong one is judged by the number in its head and by its
/// length; one without a right head is judged when the next whole line shows what it stood for.
#[derive(Clone, Debug)]
pub struct FloodCheck {
    lines: u64,
    next: u64,
    expected: [u8; FLOOD_LINE],
    cut: Vec<u8>,
    missing: Vec<Range<u64>>,
    /// Bytes of headless pieces since the last whole line.
    headless: u64,
    received: u64,
    over: bool,
    damage: Damage,
}

impl FloodCheck {
    /// The check of a flood of `lines` lines; `u64::MAX` when it has no end.
    #[must_use]
    pub fn new(lines: u64) -> Self {
        Self {
            lines,
            next: 0,
            expected: line(0),
            cut: Vec::with_capacity(FLOOD_LINE),
            missing: Vec::new(),
            headless: 0,
            received: 0,
            over: false,
            damage: Damage::default(),
        }
    }

    /// Judges the next chunk.
    pub fn handle_output(&mut self, mut bytes: &[u8]) {
        self.received += bytes.len() as u64;
        if !self.cut.is_empty() {
            bytes = self.complete_cut_line(bytes);
        }
        while bytes.len() >= FLOOD_LINE && bytes[..FLOOD_LINE] == self.expected {
            self.advance(self.next + 1);
            bytes = &bytes[FLOOD_LINE..];
        }
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            self.judge(&bytes[..=end]);
            bytes = &bytes[end + 1..];
        }
        self.cut.extend_from_slice(bytes);
        if self.cut.len() > PIECE_MAX {
            self.headless += self.cut.len() as u64;
            self.cut.clear();
        }
    }

    /// How many bytes have been judged, right or wrong.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// Whether the line that ends the flood has come.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// What went wrong in all, in bytes; lines of a flood with an end that have not come are lost.
    #[must_use]
    pub fn finish(mut self) -> Damage {
        self.damage.corrupted += self.headless;
        if self.over || self.lines == u64::MAX {
            self.damage.corrupted += if self.over { self.cut.len() as u64 } else { 0 };
        } else {
            self.note_missing(self.lines);
        }
        let missing: u64 = self.missing.iter().map(|range| range.end - range.start).sum();
        self.damage.lost += missing * LINE;
        self.damage
    }

    fn complete_cut_line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            self.cut.extend_from_slice(bytes);
            return &[];
        };
        self.cut.extend_from_slice(&bytes[..=end]);
        let line = std::mem::take(&mut self.cut);
        self.judge(&line);
        self.cut = line;
        self.cut.clear();
        &bytes[end + 1..]
    }

    fn judge(&mut self, piece: &[u8]) {
        let number = line_number(piece);
        if piece == self.expected {
            self.take_whole(self.next);
        } else if piece.get(..HEADER) == Some(&self.expected[..HEADER]) {
            self.take_damaged(piece);
        } else if let Some(number) = number.filter(|number| piece == line(*number)) {
            self.take_whole(number);
        } else {
            self.headless += piece.len() as u64;
        }
    }

    fn take_whole(&mut self, number: u64) {
        let is_end = number == FLOOD_END;
        let place = if is_end && self.lines != u64::MAX { self.lines } else { number };
        if place < self.next {
            return self.take_again(place);
        }
        if place > self.next || self.headless > 0 {
            self.take_gap(place);
        }
        self.over |= is_end;
        self.advance(if is_end { place } else { place + 1 });
    }

    /// Lines from `next` up to `place` did not come, unless headless pieces are what is left of them.
    fn take_gap(&mut self, place: u64) {
        let gap = (place - self.next).saturating_mul(LINE);
        let remains = self.headless.min(gap);
        self.damage.corrupted += remains;
        self.damage.doubled += self.headless - remains;
        self.headless = 0;
        let spoiled = remains.div_ceil(LINE);
        self.damage.lost += (spoiled * LINE).saturating_sub(remains);
        self.next += spoiled;
        self.note_missing(place);
    }

    fn take_again(&mut self, number: u64) {
        let late = self.missing.iter().position(|range| range.contains(&number));
        let Some(at) = late else {
            self.damage.doubled += LINE;
            return;
        };
        let range = self.missing.swap_remove(at);
        let parts = [range.start..number, number + 1..range.end];
        self.missing.extend(parts.into_iter().filter(|part| !part.is_empty()));
        self.damage.reordered += LINE;
    }

    /// The expected line came with another content or length.
    fn take_damaged(&mut self, piece: &[u8]) {
        let len = piece.len() as u64;
        let differing = piece.iter().zip(&self.expected).filter(|(a, b)| a != b).count();
        self.damage.lost += LINE.saturating_sub(len);
        self.damage.doubled += len.saturating_sub(LINE);
        self.damage.corrupted += if len == LINE { differing as u64 } else { 0 };
        self.advance(self.next + 1);
    }

    fn note_missing(&mut self, end: u64) {
        if self.next < end {
            self.missing.push(self.next..end);
        }
    }

    fn advance(&mut self, next: u64) {
        self.next = next;
        number_line(&mut self.expected, next);
    }
}

#[cfg(test)]
#[path = "flood_check_tests.rs"]
mod tests;
