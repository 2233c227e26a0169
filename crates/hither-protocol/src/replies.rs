//! Which input is a terminal's own answer to a query.
//!
//! The server answers the queries in the output itself. Terminals of other protocols do not know
//! that and answer again, as if their user had typed it; a [`ReplyFilter`] takes those answers out.

mod parse;

use std::time::{Duration, Instant};

use parse::split_reply;

/// What a program asked its terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueryKind {
    /// DA1, `CSI c`; answered by `CSI ? … c`.
    PrimaryAttributes,
    /// DA2, `CSI > c`; answered by `CSI > … c`.
    SecondaryAttributes,
    /// DA3, `CSI = c`; answered by `DCS ! | … ST`.
    TertiaryAttributes,
    /// DSR, `CSI 5 n` and the private ones; answered by `CSI … n`.
    Status,
    /// CPR, `CSI 6 n` and `CSI ? 6 n`; answered by `CSI row ; col R`.
    CursorPosition,
    /// DECRQM, `CSI … $ p`; answered by `CSI … $ y`.
    Mode,
    /// OSC 4, 5 and 10 to 19 with `?`; answered by the same OSC with a colour.
    Color,
    /// DECRQSS, `DCS $ q … ST`; answered by `DCS … $ r … ST`.
    Setting,
    /// XTGETTCAP, `DCS + q … ST`; answered by `DCS … + r … ST`.
    Capability,
    /// XTVERSION, `CSI > q`; answered by `DCS > | … ST`.
    Version,
    /// Kitty's keyboard flags, `CSI ? u`; answered by `CSI ? … u`.
    KeyboardFlags,
    /// Sizes of window and cells, `CSI 14 t` and the like; answered by `CSI … t`.
    WindowReport,
}

/// Drops one viewer's answers to queries that the server has answered.
///
/// It knows how many answers of each kind the viewer owes, so a key that looks like an answer (xterm
/// sends `ESC [ 1 ; 2 R` for Shift-F3) reaches the program, unless a cursor position was asked for
/// at just that time. Two bytes and a deadline for each kind of query, whatever is fed.
#[derive(Clone, Debug, Default)]
pub struct ReplyFilter {
    owed: [Owed; QueryKind::COUNT],
}

/// What becomes of an input message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is input.
    Pass,
    /// It is nothing but answers to queries that have been answered.
    Drop,
}

/// How long an answer is waited for: longer than any link takes, shorter than a person forgets.
///
/// A terminal that never answers must not cost a keystroke later.
pub const REPLY_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, Default)]
struct Owed {
    count: u16,
    until: Option<Instant>,
}

impl QueryKind {
    const COUNT: usize = Self::WindowReport as usize + 1;
}

impl ReplyFilter {
    /// The viewer was sent output with `count` queries of this kind, which the server answered.
    pub fn handle_answered(&mut self, kind: QueryKind, count: u16, now: Instant) {
        let owed = &mut self.owed[kind as usize];
        owed.expire(now);
        if count > 0 {
            owed.count = owed.count.saturating_add(count);
            owed.until = Some(now + REPLY_TIMEOUT);
        }
    }

    /// Decides about a message of input, which passes or is dropped as a whole.
    ///
    /// It is dropped if it consists of nothing but answers, each of which is owed; they are paid
    /// then. Otherwise nothing changes.
    #[inline]
    pub fn handle_input(&mut self, input: &[u8], now: Instant) -> Verdict {
        // Every answer starts with an escape, and few keys do.
        if input.first() != Some(&0x1b) {
            return Verdict::Pass;
        }
        self.filter_replies(input, now)
    }

    fn filter_replies(&mut self, input: &[u8], now: Instant) -> Verdict {
        let mut owed = self.owed;
        for owed in &mut owed {
            owed.expire(now);
        }
        let mut rest = input;
        while !rest.is_empty() {
            let Some((kind, behind)) = split_reply(rest) else {
                return Verdict::Pass;
            };
            let slot = &mut owed[kind as usize];
            let Some(count) = slot.count.checked_sub(1) else {
                return Verdict::Pass;
            };
            slot.count = count;
            rest = behind;
        }
        self.owed = owed;
        Verdict::Drop
    }
}

/// Whether `input` is nothing but a terminal's answers to queries. One that could be the key Shift-F3,
/// or F3 with other modifiers, is taken for the key.
#[must_use]
pub fn is_reply(input: &[u8]) -> bool {
    let mut rest = input;
    while !rest.is_empty() {
        let key = rest.starts_with(b"\x1b[1;") && rest.get(5) == Some(&b'R');
        match split_reply(rest) {
            Some((_, behind)) if !key => rest = behind,
            _ => return false,
        }
    }
    !input.is_empty()
}

impl Owed {
    fn expire(&mut self, now: Instant) {
        if self.until.is_some_and(|until| now >= until) {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests;
