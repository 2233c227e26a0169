//! How long the worker's turns on the CPU are.

use std::time::Duration;

/// Short turns while other programs keep the cores busy, the usual ones at all other times: a short
/// turn takes the core from whoever has just sent something and would have slept in a moment.
#[derive(Debug, Default)]
pub(super) struct Turns {
    short: bool,
    /// Keys come too fast for short turns.
    crowded: bool,
    /// Until when the cores count as busy.
    busy_until: Duration,
    /// What was counted when the turns were last fitted.
    counted: Counted,
}

/// What a worker has counted since its start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    /// Keystrokes.
    pub(super) inputs: u64,
    /// Times that it was woken.
    pub(super) turns: u64,
    /// How long it waited for a core while it had something to do.
    pub(super) waited: Duration,
}

/// Programs that keep the cores busy have turns of milliseconds, and a key must not wait for those:
/// 100 µs is the least that the kernel takes.
const SHORT: Duration = Duration::from_micros(100);
/// With more keystrokes a second than a few hundred people type, a worker that is woken for each
/// one spends its time on waking up.
const INPUTS_MAX: u64 = 4000;
/// A worker that waits longer than this for a core each time shares it with a busy program. On
/// cores that are idle in between it waits for about 10 µs.
const LATE: Duration = Duration::from_micros(200);
/// Cores count as busy for so long: with short turns the worker cannot see whether they still are.
const BUSY: Duration = Duration::from_secs(10);

impl Turns {
    /// A session floods, so the cores are busy.
    #[inline]
    pub(super) fn handle_flood(&mut self, now: Duration) {
        self.busy_until = now + BUSY;
        if !self.short && !self.crowded {
            self.set(true);
        }
    }

    /// Fits the turns to what was counted since the last call, about a second ago.
    pub(super) fn fit(&mut self, now: Duration, counted: Counted) {
        let before = std::mem::replace(&mut self.counted, counted);
        self.crowded = counted.inputs - before.inputs > INPUTS_MAX;
        let turns = u32::try_from(counted.turns - before.turns).unwrap_or(u32::MAX);
        if counted.waited.saturating_sub(before.waited) > LATE * turns {
            self.busy_until = now + BUSY;
        }
        self.set(!self.crowded && now < self.busy_until);
    }

    fn set(&mut self, short: bool) {
        if std::mem::replace(&mut self.short, short) == short {
            return;
        }
        let result =
            if short { hither_pty::shorten_turns(SHORT) } else { hither_pty::usual_turns() };
        if let Err(error) = result {
            tracing::debug!(%error, "fitting turns on the CPU");
        }
    }
}

/// How long the calling thread has waited for a core so far; zero where the kernel does not say
/// (proc(5), `/proc/pid/schedstat`).
pub(super) fn waited() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    parse_waited(&text).unwrap_or_default()
}

/// The second of three numbers, in nanoseconds: time that the thread ran, time that it waited, and
/// how often it was given a core.
fn parse_waited(schedstat: &str) -> Option<Duration> {
    let waited = schedstat.split_ascii_whitespace().nth(1)?;
    waited.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn counted(inputs: u64, waited_us: u64) -> Counted {
        Counted { inputs, turns: 100, waited: Duration::from_micros(waited_us) }
    }

    #[test]
    fn turns_are_short_for_a_while_after_a_flood() {
        let mut turns = Turns::default();
        turns.fit(SECOND, counted(10, 0));
        assert!(!turns.short);
        turns.handle_flood(SECOND);
        assert!(turns.short);
        turns.fit(BUSY, counted(20, 0));
        assert!(turns.short);
        turns.fit(SECOND + BUSY, counted(30, 0));
        assert!(!turns.short);
    }

    #[test]
    fn turns_are_short_where_the_worker_has_to_wait() {
        let mut turns = Turns::default();
        turns.fit(SECOND, counted(0, 100 * 200));
        assert!(!turns.short, "not longer than is usual");
        turns.fit(2 * SECOND, Counted { turns: 200, ..counted(0, 100 * 401) });
        assert!(turns.short);
    }

    #[test]
    fn a_crowd_of_typists_has_the_usual_turns() {
        let mut turns = Turns::default();
        turns.handle_flood(SECOND);
        turns.fit(SECOND, counted(INPUTS_MAX + 1, 0));
        assert!(!turns.short);
        turns.handle_flood(SECOND);
        assert!(!turns.short);
        turns.fit(2 * SECOND, counted(INPUTS_MAX + 2, 0));
        assert!(turns.short);
    }

    #[test]
    fn knows_how_long_it_waited() {
        let waited = parse_waited("1229222326 838841965 46743\n");
        assert_eq!(waited, Some(Duration::from_nanos(838_841_965)));
        for other in ["", "1", "1 -2 3", "\n"] {
            assert_eq!(parse_waited(other), None, "{other:?}");
        }
        let own = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        assert!(parse_waited(&own).is_some(), "{own:?}");
    }
}
