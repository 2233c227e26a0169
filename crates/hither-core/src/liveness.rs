//! Whether the other end of a connection is still there.

use std::time::Duration;

/// What a connection that says nothing is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing yet.
    Nothing,
    /// It is asked for a sign of life.
    Ping,
    /// It has been silent for too long: there is nobody any more.
    GiveUp,
}

/// When a peer was heard last, and how often it was asked since.
///
/// Times are durations since any fixed moment, the same for all calls.
#[derive(Clone, Copy, Debug)]
pub struct Liveness {
    heard: Duration,
    pings: u32,
}

/// A peer that says nothing is asked this often.
pub const PING_TIME: Duration = Duration::from_secs(14);
/// A peer that says nothing for so many of these times is given up. Whoever looks once a second
/// finds a half-open connection within 45 seconds.
pub const SILENT_TIMES_MAX: u32 = 3;

impl Liveness {
    /// A peer that was there at `now`.
    #[must_use]
    pub const fn new(now: Duration) -> Self {
        Self { heard: now, pings: 0 }
    }

    /// For how long it has said nothing.
    #[must_use]
    pub const fn silence(&self, now: Duration) -> Duration {
        now.saturating_sub(self.heard)
    }

    /// It said something, whatever it was.
    #[inline]
    pub const fn handle_heard(&mut self, now: Duration) {
        *self = Self::new(now);
    }

    /// What is due at `now`. A ping is due once for each time of silence, however rarely one looks.
    pub fn poll(&mut self, now: Duration) -> Due {
        let silence = self.silence(now);
        if silence >= PING_TIME * SILENT_TIMES_MAX {
            return Due::GiveUp;
        }
        if silence >= PING_TIME * (self.pings + 1) {
            self.pings += 1;
            return Due::Ping;
        }
        Due::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks once in `step` until the peer is given up: when that was, and when it was asked.
    fn watch(step: Duration) -> (Duration, Vec<Duration>) {
        let (mut liveness, mut now) = (Liveness::new(Duration::ZERO), Duration::ZERO);
        let mut pings = Vec::new();
        loop {
            now += step;
            match liveness.poll(now) {
                Due::Nothing => {}
                Due::Ping => pings.push(now),
                Due::GiveUp => return (now, pings),
            }
        }
    }

    /// Row R04, in virtual time: whoever looks about once a second gives up within 45 seconds.
    #[test]
    fn r04_a_silent_peer_is_asked_twice_and_given_up_within_45_seconds() {
        for step_ms in [1, 250, 1000, 1300, 2500] {
            let (end, pings) = watch(Duration::from_millis(step_ms));
            assert_eq!(pings.len(), 2, "looking each {step_ms} ms");
            assert!(end >= PING_TIME * SILENT_TIMES_MAX, "{end:?}");
            assert!(end <= Duration::from_secs(45), "{end:?}, looking each {step_ms} ms");
        }
    }

    #[test]
    fn a_peer_that_answers_is_never_given_up() {
        let mut liveness = Liveness::new(Duration::ZERO);
        let mut pings = 0;
        for second in 1..=3600 {
            let now = Duration::from_secs(second);
            match liveness.poll(now) {
                Due::Nothing => {}
                Due::Ping => {
                    pings += 1;
                    // A round trip of a second.
                    liveness.handle_heard(now + Duration::from_secs(1));
                }
                Due::GiveUp => panic!("given up at {now:?}"),
            }
        }
        assert!((230..=260).contains(&pings), "{pings} in an hour");
    }
}
