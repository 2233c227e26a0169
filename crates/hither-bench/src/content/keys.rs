//! Typing: a sequence of keys and the check of its echo.

use std::collections::VecDeque;

use super::Damage;
use crate::stats::Moment;

/// How many different keys there are. A prime, so that it beats with no buffer size.
const KEYS: u64 = 89;
/// The first of them; the last is `y`. No control characters, no blank, no `~`.
const FIRST_KEY: u8 = b'!';
/// How many lost keys are remembered, to recognise them when they come late.
const LATE_MAX: usize = 64;

/// The key with number `number`, counted from 0.
#[must_use]
pub fn key(number: u64) -> u8 {
    let step = u8::try_from(number % KEYS).expect("a remainder of 89 fits in a byte");
    FIRST_KEY + step
}

/// Checks that each typed key is echoed exactly once and in order, and says how old each was.
///
/// A key that is missing is recognised when a later one comes. Keys repeat after 89, so with 89 or
/// more under way a loss is found but may be blamed on the wrong key.
#[derive(Clone, Debug, Default)]
pub struct EchoCheck {
    typed: u64,
    echoed: u64,
    under_way: VecDeque<Moment>,
    missing: VecDeque<u64>,
    damage: Damage,
}

impl EchoCheck {
    /// A check that has space for `keys` under way at once before it has to allocate.
    #[must_use]
    pub fn with_space(keys: usize) -> Self {
        Self { under_way: VecDeque::with_capacity(keys), ..Self::default() }
    }

    /// The next key to type, which was due at `due`.
    pub fn type_key(&mut self, due: Moment) -> u8 {
        let next = key(self.typed);
        self.typed += 1;
        self.under_way.push_back(due);
        next
    }

    /// Judges an echoed byte. Gives the time at which the key was due when it was one that had not
    /// been echoed before.
    pub fn handle_echo(&mut self, byte: u8) -> Option<Moment> {
        let Some(step) = byte.checked_sub(FIRST_KEY).map(u64::from).filter(|step| *step < KEYS)
        else {
            self.damage.corrupted += 1;
            return None;
        };
        let ahead = (step + KEYS - self.echoed % KEYS) % KEYS;
        if ahead < self.under_way.len() as u64 {
            self.skip(ahead);
            self.echoed += 1;
            return self.under_way.pop_front();
        }
        self.judge_old(step);
        None
    }

    /// Keys that have been typed and neither been echoed nor given up.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Keys that were typed.
    #[must_use]
    pub const fn typed(&self) -> u64 {
        self.typed
    }

    /// What went wrong so far, not counting keys that are still under way.
    #[must_use]
    pub const fn damage(&self) -> Damage {
        self.damage
    }

    /// Gives up what is still under way and says what went wrong in all.
    #[must_use]
    pub fn finish(mut self) -> Damage {
        self.damage.lost += self.under_way.len() as u64;
        self.damage
    }

    fn skip(&mut self, keys: u64) {
        for _ in 0..keys {
            self.under_way.pop_front();
            self.damage.lost += 1;
            if self.missing.len() == LATE_MAX {
                self.missing.pop_front();
            }
            self.missing.push_back(self.echoed);
            self.echoed += 1;
        }
    }

    fn judge_old(&mut self, step: u64) {
        if let Some(late) = self.missing.iter().position(|number| number % KEYS == step) {
            self.missing.remove(late);
            self.damage.lost -= 1;
            self.damage.reordered += 1;
        } else {
            self.damage.doubled += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn judge(typed: u64, echo: &[u8]) -> Damage {
        let mut check = EchoCheck::default();
        for number in 0..typed {
            let _ = check.type_key(Duration::from_millis(number));
        }
        for byte in echo {
            let _ = check.handle_echo(*byte);
        }
        check.finish()
    }

    #[test]
    fn a_whole_echo_is_fine_and_keeps_each_keys_own_time() {
        let mut check = EchoCheck::default();
        for number in 0..500 {
            let byte = check.type_key(Duration::from_millis(number));
            assert_eq!(check.handle_echo(byte), Some(Duration::from_millis(number)));
        }
        assert!(check.finish().is_none());
    }

    #[test]
    fn finds_each_kind_of_damage() {
        let none = Damage::default();
        assert_eq!(judge(4, b"!\"#$"), none);
        assert_eq!(judge(4, b"!#$"), Damage { lost: 1, ..none }, "in the middle");
        assert_eq!(judge(4, b"!\"#"), Damage { lost: 1, ..none }, "at the end");
        assert_eq!(judge(4, b"!!\"#$"), Damage { doubled: 1, ..none });
        assert_eq!(judge(4, b"\"!#$"), Damage { reordered: 1, ..none });
        assert_eq!(judge(4, b"!\"#$$"), Damage { doubled: 1, ..none });
        assert_eq!(judge(4, b"!\"\x1b#$"), Damage { corrupted: 1, ..none });
        assert_eq!(judge(4, b"!\" #$"), Damage { corrupted: 1, ..none });
    }
}
