//! Who is served first: sockets and quiet sessions, then one chunk of each flooding session.

use std::time::Duration;

/// How fast a session has been writing of late: a bucket that fills with its output and drains at
/// 1 MB/s.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    level: u64,
    at: Duration,
}

/// Output above this level within a few milliseconds is a flood: several screens of text.
const FLOOD_BYTES: u64 = 16 << 10;
/// The bucket holds no more, so that a flood that ends is forgotten within 64 ms.
const LEVEL_MAX: u64 = 64 << 10;

impl Pace {
    /// `len` bytes of output were read at `now` (since any fixed moment).
    pub fn handle_output(&mut self, len: u64, now: Duration) {
        self.drain(now);
        self.level = (self.level + len).min(LEVEL_MAX);
    }

    /// Whether the session is to wait for the quiet ones.
    #[must_use]
    pub fn is_flooding(mut self, now: Duration) -> bool {
        self.drain(now);
        self.level > FLOOD_BYTES
    }

    fn drain(&mut self, now: Duration) {
        let drained = u64::try_from(now.saturating_sub(self.at).as_micros()).unwrap_or(u64::MAX);
        self.level = self.level.saturating_sub(drained);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_is_quiet_and_a_flood_is_noticed_and_forgotten() {
        let ms = Duration::from_millis;
        let mut pace = Pace::default();
        for at in 0..1000 {
            pace.handle_output(100, ms(at));
            assert!(!pace.is_flooding(ms(at)));
        }
        for _ in 0..10 {
            pace.handle_output(4095, ms(1000));
        }
        assert!(pace.is_flooding(ms(1000)));
        assert!(!pace.is_flooding(ms(1070)));
    }
}
