//! Random numbers that a printed seed brings back.

use std::time::Duration;

/// Name of the environment variable that holds the seed of a run.
pub const SEED_VARIABLE: &str = "HITHER_SEED";

/// A seeded source of random numbers (SplitMix64 of Steele, Lea and Flood). Not for secrets.
#[derive(Clone, Debug)]
pub struct Random(u64);

/// Scrambles 64 bits so that neighbours have nothing in common.
#[must_use]
pub const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The seed of this run: that of the environment, else a fresh one from the clock.
#[must_use]
pub fn seed() -> u64 {
    let given = std::env::var(SEED_VARIABLE).ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        mix(since.map_or(0, |time| time.subsec_nanos().into())) % 1_000_000
    })
}

impl Random {
    /// The numbers of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 random bits.
    pub const fn bits(&mut self) -> u64 {
        let value = mix(self.0);
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        value
    }

    /// A number below `end`, which is not 0.
    pub const fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    /// True once in `times`.
    pub const fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// A time below `end`, in steps of a microsecond.
    pub fn time_below(&mut self, end: Duration) -> Duration {
        let end = u64::try_from(end.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.below(end.max(1)))
    }

    /// One of `all`, which is not empty.
    pub const fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        #[expect(clippy::cast_possible_truncation, reason = "below a length, which is a usize")]
        let index = self.below(all.len() as u64) as usize;
        &all[index]
    }
}
