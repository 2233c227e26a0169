//! Bringing a screen over a flood of plain output without emulating it.
//!
//! Plain output (see [`crate::Scanner::plain_since`]) changes three things only: the pen, the
//! cursor, and lines, which it appends. Once enough line feeds have followed, every line that it
//! wrote or found has left the screen and the scrollback; nothing of it is left but the pen.

use hither_core::WindowSize;
use memchr::{memchr_iter, memrchr};

use crate::charset::Charsets;
use crate::params::Params;
use crate::parser::{Collected, Parser, Perform, Text};
use crate::pen::Pen;
use crate::screen::Screen;
use crate::terminal::BufferKind;

/// Bytes in which line feeds are counted at once.
const BLOCK: usize = 4096;

/// The farthest index in `plain` (consecutive pieces of plain output, counted through) up to which
/// output may be skipped: just after a `\r\n`, with so many line feeds behind it that nothing from
/// before is left on a screen of `size` with `scrollback_lines_max` lines of scrollback. `None`
/// when there is no such place.
///
/// It looks at the end of `plain` only, as far as it must.
#[must_use]
pub fn find_skip(plain: &[&[u8]], size: WindowSize, scrollback_lines_max: usize) -> Option<usize> {
    let bytes = Joined(plain);
    // The lines that can be seen, and as many again: up to a screen of old lines may lie below
    // the cursor, to be written over before the screen begins to scroll.
    let behind = scrollback_lines_max + 2 * usize::from(size.rows());
    let mut end = bytes.before_feeds(behind)?;
    loop {
        let feed = bytes.last_before(b'\n', end)?;
        if feed > 0 && bytes.get(feed - 1) == Some(b'\r') {
            return Some(feed + 1);
        }
        end = feed;
    }
}

impl Screen {
    /// Whether [`Screen::skip_plain`] may be used now: the normal buffer is shown, the whole screen
    /// scrolls, and no mode or character set changes what plain text means.
    #[must_use]
    pub fn may_skip(&self) -> bool {
        let terminal = self.terminal();
        let (buffer, modes) = (&terminal.normal, &terminal.modes);
        self.is_between_sequences()
            && terminal.active == BufferKind::Normal
            && (buffer.top, buffer.bottom) == (0, buffer.rows - 1)
            && !modes.origin
            && !modes.insert
            && !modes.reverse_wraparound
            && terminal.charsets == Charsets::default()
    }

    /// Takes `skipped`, pieces of plain output that follow each other, without emulating it: only
    /// the pen is brought up to date, and the cursor goes to the start of the last row.
    ///
    /// `skipped` must end where [`find_skip`] said, for this screen's size and scrollback, and
    /// [`Screen::may_skip`] must hold. What the screen shows is then wrong until the plain output
    /// behind it has been fed, and exactly right after that. A snapshot taken in between is good
    /// for nothing but being fed to a screen that is then fed that output, too.
    pub fn skip_plain(&mut self, skipped: &[&[u8]]) {
        debug_assert!(self.may_skip(), "the caller has asked");
        let bytes = Joined(skipped);
        let from = last_reset(&bytes).unwrap_or(0);
        let terminal = self.terminal_mut();
        let mut pen_only = PenOnly { pen: &mut terminal.pen };
        let mut parser = Parser::default();
        for piece in bytes.from(from) {
            parser.feed(piece, &mut pen_only);
        }
        terminal.preceding = None;
        terminal.normal.x = 0;
        terminal.normal.y = terminal.normal.rows - 1;
    }
}

/// Index of the last sequence that resets the pen.
fn last_reset(bytes: &Joined<'_>) -> Option<usize> {
    let mut end = bytes.len();
    loop {
        let at = bytes.last_before(0x1b, end)?;
        let follows = |text: &[u8]| {
            text.iter().enumerate().all(|(offset, &byte)| bytes.get(at + 1 + offset) == Some(byte))
        };
        if follows(b"[m") || follows(b"[0m") {
            return Some(at);
        }
        end = at;
    }
}

/// Follows the pen and nothing else.
struct PenOnly<'a> {
    pen: &'a mut Pen,
}

impl Perform for PenOnly<'_> {
    fn print_ascii(&mut self, _: &[u8]) {}
    fn print(&mut self, _: char) {}
    fn execute(&mut self, _: u8) {}
    fn csi(&mut self, collected: Collected, byte: u8, params: &Params) {
        if collected == 0 && byte == b'm' {
            self.pen.select(params);
        }
    }
    fn esc(&mut self, _: Collected, _: u8) {}
    fn osc(&mut self, _: u32, _: &Text<'_>) {}
    fn dcs(&mut self, _: Collected, _: u8, _: &Text<'_>) {}
    fn string_ended(&mut self) {}
}

/// Pieces of output, counted through.
struct Joined<'a>(&'a [&'a [u8]]);

impl<'a> Joined<'a> {
    fn len(&self) -> usize {
        self.0.iter().map(|piece| piece.len()).sum()
    }

    fn get(&self, mut at: usize) -> Option<u8> {
        for piece in self.0 {
            match piece.get(at) {
                Some(&byte) => return Some(byte),
                None => at -= piece.len(),
            }
        }
        None
    }

    /// Index of the last `byte` before `end`.
    fn last_before(&self, byte: u8, end: usize) -> Option<usize> {
        let mut start = self.len();
        for piece in self.0.iter().rev() {
            start -= piece.len();
            let within = end.saturating_sub(start).min(piece.len());
            if let Some(at) = memrchr(byte, &piece[..within]) {
                return Some(start + at);
            }
        }
        None
    }

    /// The index before which all but the last `count` line feeds lie.
    fn before_feeds(&self, mut count: usize) -> Option<usize> {
        let mut start = self.len();
        for piece in self.0.iter().rev() {
            for block in piece.rchunks(BLOCK) {
                start -= block.len();
                let here = memchr_iter(b'\n', block).count();
                if here < count {
                    count -= here;
                } else {
                    return memchr_iter(b'\n', block).nth(here - count).map(|at| start + at);
                }
            }
        }
        None
    }

    /// The pieces from index `at` on.
    fn from(&self, at: usize) -> impl Iterator<Item = &'a [u8]> {
        let mut before = at;
        self.0.iter().map(move |piece| {
            let cut = before.min(piece.len());
            before -= cut;
            &piece[cut..]
        })
    }
}
