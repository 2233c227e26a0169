//! Where the time between a keystroke and its echo goes.

use std::time::Duration;

/// One keystroke in so many of a session is timed: it takes two readings of the clock that others
/// do not need.
const TIMED_EVERY: u8 = 2;
/// Output that comes later than this is no echo: nobody takes it for one.
pub(crate) const ECHO_MAX: Duration = Duration::from_secs(2);

/// Times the keystrokes of one session, one at a time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct EchoTimer {
    untimed: u8,
    stage: Stage,
}

/// How far the keystroke that is timed has come.
#[derive(Clone, Copy, Debug, Default)]
enum Stage {
    /// None is timed.
    #[default]
    Idle,
    /// It was written to the PTY at this time, so long after it was there to be read.
    Written(Duration, Duration),
    /// Output was there at this time; before, the server and the program took this long.
    Answered(Duration, EchoParts),
}

/// The parts of one echo. The third, the network's, is measured by pings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EchoParts {
    /// From being readable at the socket to being written to the PTY, and from being readable at
    /// the PTY to having been sent.
    pub(crate) server: Duration,
    /// From the write to the PTY until output is there: the kernel and the program.
    pub(crate) pty: Duration,
}

impl EchoTimer {
    /// Whether output of the keystroke that is timed has come.
    #[inline]
    pub(crate) const fn is_answered(&self) -> bool {
        matches!(self.stage, Stage::Answered(..))
    }

    /// A keystroke was written: whether [`Self::handle_written`] is to be told.
    #[inline]
    pub(crate) const fn wants(&mut self) -> bool {
        if self.untimed > 0 {
            self.untimed -= 1;
            return false;
        }
        self.untimed = TIMED_EVERY - 1;
        true
    }

    /// A keystroke that could be read at `readable` was written at `written`. Whether one before
    /// it is given up: nothing came of it in time.
    pub(crate) fn handle_written(&mut self, readable: Duration, written: Duration) -> bool {
        let overdue = match self.stage {
            Stage::Idle => false,
            Stage::Written(since, _) if since + ECHO_MAX < written => true,
            Stage::Written(..) | Stage::Answered(..) => return false,
        };
        self.stage = Stage::Written(written, written.saturating_sub(readable));
        overdue
    }

    /// Output of the session could be read at `readable`. Whether the keystroke is given up: it
    /// comes too late to be an echo.
    #[inline]
    pub(crate) fn handle_output(&mut self, readable: Duration) -> bool {
        let Stage::Written(written, server) = self.stage else { return false };
        // What was there before the keystroke is not its echo.
        let Some(pty) = readable.checked_sub(written) else { return false };
        let late = pty > ECHO_MAX;
        let parts = EchoParts { server, pty };
        self.stage = if late { Stage::Idle } else { Stage::Answered(readable, parts) };
        late
    }

    /// The output was sent at `sent`.
    pub(crate) fn handle_sent(&mut self, sent: Duration) -> Option<EchoParts> {
        let Stage::Answered(readable, parts) = self.stage else { return None };
        self.stage = Stage::Idle;
        let server = parts.server + sent.saturating_sub(readable);
        Some(EchoParts { server, ..parts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn each_part_is_what_it_took() {
        let mut timer = EchoTimer::default();
        assert!(timer.wants());
        assert!(!timer.handle_written(ms(100), ms(101)));
        assert!(!timer.is_answered());
        assert!(!timer.handle_output(ms(131)));
        assert!(timer.is_answered());
        assert_eq!(timer.handle_sent(ms(133)), Some(EchoParts { server: ms(3), pty: ms(30) }));
        assert_eq!(timer.handle_sent(ms(134)), None);
    }

    #[test]
    fn every_other_keystroke_is_timed_and_one_at_a_time() {
        let mut timer = EchoTimer::default();
        assert_eq!([0; 4].map(|_| timer.wants()), [true, false, true, false]);
        timer.handle_written(ms(0), ms(0));
        timer.handle_written(ms(90), ms(90));
        timer.handle_output(ms(100));
        timer.handle_written(ms(100), ms(100));
        assert_eq!(timer.handle_sent(ms(100)).unwrap().pty, ms(100), "the first is timed");
    }

    #[test]
    fn output_from_before_is_no_echo() {
        let mut timer = EchoTimer::default();
        timer.handle_written(ms(10), ms(12));
        timer.handle_output(ms(10));
        assert!(!timer.is_answered());
        timer.handle_output(ms(12));
        assert!(timer.is_answered());
    }

    #[test]
    fn what_comes_too_late_is_no_echo_either() {
        let late = ECHO_MAX + ms(1);
        let mut timer = EchoTimer::default();
        timer.handle_written(ms(0), ms(0));
        assert!(timer.handle_output(late));
        assert!(!timer.is_answered());
        timer.handle_written(ms(0), ms(0));
        assert!(timer.handle_written(late, late), "a password is typed without an echo");
        timer.handle_output(late + ms(2));
        assert_eq!(timer.handle_sent(late + ms(2)).unwrap().pty, ms(2));
    }
}
