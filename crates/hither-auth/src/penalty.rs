//! Penalties of sources that misbehave, as OpenSSH has them (`PerSourcePenalties`, sshd_config(5)).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::source::Source;

/// Most sources that are remembered; one more and the one whose penalty ends first is forgotten.
pub const SOURCES_MAX: usize = 16_384;
/// Penalties add up to no more than this.
pub const PENALTY_MAX: Duration = Duration::from_mins(10);
/// Up to here a penalty has no effect: a person may mistype a password.
pub const PENALTY_FREE: Duration = Duration::from_secs(15);

/// What a source did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offence {
    /// It gave a wrong password, launch secret or other secret that opens a login.
    WrongSecret,
    /// It showed a token that is not, or no longer, good.
    WrongToken,
}

/// Penalties by source. All times are those of a clock that never goes back.
#[derive(Debug, Default)]
pub struct Penalties {
    ends: BTreeMap<Source, Duration>,
    /// The same, in the order in which they end.
    order: BTreeSet<(Duration, Source)>,
}

impl Offence {
    /// How much it costs.
    #[must_use]
    pub const fn penalty(self) -> Duration {
        Duration::from_secs(match self {
            Self::WrongSecret => 5,
            Self::WrongToken => 1,
        })
    }
}

impl Penalties {
    /// How long a source has to wait; `None` if it may try.
    #[must_use]
    pub fn wait(&self, source: Source, now: Duration) -> Option<Duration> {
        let left = self.ends.get(&source)?.checked_sub(now)?;
        (left > PENALTY_FREE).then(|| left - PENALTY_FREE)
    }

    /// Whether nothing is held against a source.
    #[must_use]
    pub fn is_clean(&self, source: Source, now: Duration) -> bool {
        self.ends.get(&source).is_none_or(|end| *end <= now)
    }

    /// Sources that are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether nobody is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// A source did something.
    pub fn handle_offence(&mut self, source: Source, offence: Offence, now: Duration) {
        self.forget_ended(now);
        let before = self.ends.get(&source).copied().unwrap_or(now);
        let end = (before.max(now) + offence.penalty()).min(now + PENALTY_MAX);
        self.order.remove(&(before, source));
        self.order.insert((end, source));
        self.ends.insert(source, end);
        while self.ends.len() > SOURCES_MAX {
            self.forget_first();
        }
    }

    /// A source has proven who it is: what it did before was a mistake.
    pub fn handle_success(&mut self, source: Source) {
        if let Some(end) = self.ends.remove(&source) {
            self.order.remove(&(end, source));
        }
    }

    fn forget_ended(&mut self, now: Duration) {
        while self.order.first().is_some_and(|(end, _)| *end <= now) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, source)) = self.order.pop_first() {
            self.ends.remove(&source);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    const START: Duration = Duration::from_secs(1000);

    fn source(number: u32) -> Source {
        Source::of(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number))).unwrap()
    }

    #[test]
    fn three_mistakes_are_free() {
        let mut penalties = Penalties::default();
        for _ in 0..3 {
            assert_eq!(penalties.wait(source(1), START), None);
            penalties.handle_offence(source(1), Offence::WrongSecret, START);
        }
        assert_eq!(penalties.wait(source(1), START), None);
        penalties.handle_offence(source(1), Offence::WrongSecret, START);
        assert_eq!(penalties.wait(source(1), START), Some(Duration::from_secs(5)));
        assert_eq!(penalties.wait(source(2), START), None);
        assert!(!penalties.is_clean(source(1), START));
        // It passes by itself, and as fast as it came.
        assert_eq!(penalties.wait(source(1), START + Duration::from_secs(5)), None);
        assert!(penalties.is_clean(source(1), START + Duration::from_secs(20)));
    }

    #[test]
    fn a_penalty_is_never_longer_than_ten_minutes() {
        let mut penalties = Penalties::default();
        for _ in 0..10_000 {
            penalties.handle_offence(source(1), Offence::WrongSecret, START);
        }
        assert_eq!(penalties.wait(source(1), START), Some(PENALTY_MAX - PENALTY_FREE));
        assert_eq!(penalties.wait(source(1), START + PENALTY_MAX), None);
    }

    #[test]
    fn success_makes_up_for_mistakes() {
        let mut penalties = Penalties::default();
        for _ in 0..4 {
            penalties.handle_offence(source(1), Offence::WrongSecret, START);
        }
        penalties.handle_success(source(1));
        assert!(penalties.is_clean(source(1), START) && penalties.is_empty());
    }

    #[test]
    fn a_program_with_an_old_token_is_not_locked_out() {
        let mut penalties = Penalties::default();
        for second in 0..3600 {
            let now = START + Duration::from_secs(second);
            penalties.handle_offence(source(1), Offence::WrongToken, now);
            assert_eq!(penalties.wait(source(1), now), None);
        }
    }

    #[test]
    fn the_table_is_bounded_and_keeps_the_worst() {
        let mut penalties = Penalties::default();
        for _ in 0..10 {
            penalties.handle_offence(source(0), Offence::WrongSecret, START);
        }
        for number in 1..=u32::try_from(SOURCES_MAX).unwrap() + 1000 {
            penalties.handle_offence(source(number), Offence::WrongSecret, START);
        }
        assert_eq!(penalties.len(), SOURCES_MAX);
        assert!(penalties.wait(source(0), START).is_some());
        penalties.handle_offence(source(0), Offence::WrongSecret, START + PENALTY_MAX);
        assert_eq!(penalties.len(), 1, "those that have ended are forgotten");
    }
}
