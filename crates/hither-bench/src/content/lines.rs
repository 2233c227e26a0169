//! Command lines: `echo hb00000042`, and the check of what they print.

use std::collections::VecDeque;

use super::Damage;
use crate::stats::Moment;

const TAG: &[u8; 2] = b"hb";
const DIGITS: usize = 8;
const COMMAND: &[u8; 5] = b"echo ";

/// A command line that prints its own number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineText([u8; COMMAND.len() + TAG.len() + DIGITS + 1]);

impl LineText {
    /// The command line with number `number` (below 10^8), ended by a carriage return.
    #[must_use]
    pub fn new(number: u64) -> Self {
        let mut text = *b"echo hb00000000\r";
        let mut rest = number;
        for slot in text[COMMAND.len() + TAG.len()..][..DIGITS].iter_mut().rev() {
            *slot = b'0' + u8::try_from(rest % 10).expect("a digit fits in a byte");
            rest /= 10;
        }
        Self(text)
    }

    /// The bytes to type.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Checks that each command line's output arrives exactly once and in order.
///
/// A number counts as output when no blank stands before it: behind a blank it is the echo of the
/// command line itself.
#[derive(Clone, Debug, Default)]
pub struct LineCheck {
    sent: u64,
    answered: u64,
    under_way: VecDeque<Moment>,
    scan: Scan,
    damage: Damage,
}

#[derive(Clone, Copy, Debug, Default)]
struct Scan {
    before: u8,
    matched: usize,
    number: u64,
}

impl LineCheck {
    /// The next command line, which was due at `due`.
    pub fn send_line(&mut self, due: Moment) -> LineText {
        let text = LineText::new(self.sent);
        self.sent += 1;
        self.under_way.push_back(due);
        text
    }

    /// Looks through output and calls `answered` with the due time of each line answered in it.
    pub fn handle_output(&mut self, bytes: &[u8], mut answered: impl FnMut(Moment)) {
        for byte in bytes {
            if let Some(number) = self.scan.feed(*byte)
                && let Some(due) = self.judge(number)
            {
                answered(due);
            }
        }
    }

    /// Lines sent.
    #[must_use]
    pub const fn sent(&self) -> u64 {
        self.sent
    }

    /// Lines sent and not answered yet.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Gives up what is still under way and says what went wrong in all.
    #[must_use]
    pub fn finish(mut self) -> Damage {
        self.damage.lost += self.under_way.len() as u64;
        self.damage
    }

    fn judge(&mut self, number: u64) -> Option<Moment> {
        if number >= self.sent {
            self.damage.corrupted += 1;
            return None;
        }
        if number < self.answered {
            self.damage.doubled += 1;
            return None;
        }
        while self.answered < number {
            self.answered += 1;
            self.under_way.pop_front();
            self.damage.lost += 1;
        }
        self.answered += 1;
        self.under_way.pop_front()
    }
}

impl Scan {
    fn feed(&mut self, byte: u8) -> Option<u64> {
        let in_tag = TAG.get(self.matched);
        if in_tag == Some(&byte) && (self.matched > 0 || self.before != b' ') {
            self.matched += 1;
            self.number = 0;
        } else if in_tag.is_none() && byte.is_ascii_digit() {
            self.matched += 1;
            self.number = self.number * 10 + u64::from(byte - b'0');
        } else {
            self.matched = 0;
            self.before = byte;
        }
        if self.matched < TAG.len() + DIGITS {
            return None;
        }
        self.matched = 0;
        self.before = byte;
        Some(self.number)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn judge(lines: u64, output: &str, chunk: usize) -> (u64, Damage) {
        let mut check = LineCheck::default();
        for number in 0..lines {
            let _ = check.send_line(Duration::from_secs(number));
        }
        let mut answers = 0;
        for piece in output.as_bytes().chunks(chunk) {
            check.handle_output(piece, |_| answers += 1);
        }
        (answers, check.finish())
    }

    #[test]
    fn writes_its_number() {
        assert_eq!(LineText::new(42).as_bytes(), b"echo hb00000042\r");
    }

    #[test]
    fn the_echo_of_the_command_is_not_its_output() {
        let echo_only = "$ echo hb00000000\r\n";
        assert_eq!(judge(1, echo_only, 64), (0, Damage { lost: 1, ..Damage::default() }));
    }

    #[test]
    fn finds_each_kind_of_damage_at_any_cut() {
        let none = Damage::default();
        for chunk in [1, 3, 7, 100] {
            let whole = "$ echo hb00000000\r\nhb00000000\r\n$ \x1b[?2004l\rhb00000001\r\n";
            assert_eq!(judge(2, whole, chunk), (2, none));
            let lost = "hb00000001\r\n";
            assert_eq!(judge(2, lost, chunk), (1, Damage { lost: 1, ..none }));
            let doubled = "hb00000000\r\nhb00000000\r\nhb00000001\r\n";
            assert_eq!(judge(2, doubled, chunk), (2, Damage { doubled: 1, ..none }));
            let foreign = "hb00000000\r\nhb00000007\r\nhb00000001\r\n";
            assert_eq!(judge(2, foreign, chunk), (2, Damage { corrupted: 1, ..none }));
        }
    }
}
