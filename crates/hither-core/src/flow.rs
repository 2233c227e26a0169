//! How many bytes may be on their way to a viewer.

use std::time::Duration;

use crate::Offset;

/// Limits what is in flight to one viewer, by what it has acknowledged.
///
/// Too little in flight wastes a long link; too much sits in queues between the server and the
/// eye, and a Ctrl-C is seen only when they have drained. So the window grows while acks return
/// within [`QUEUE_TARGET`] of the link's own round trip, and shrinks in proportion when they take longer:
/// it settles at what the link drains in somewhat less than 100 ms, whatever its speed and length.
///
/// Times are durations since any fixed moment, the same for all calls.
#[derive(Clone, Debug)]
pub struct FlowWindow {
    window: u64,
    sent: Offset,
    acked: Offset,
    /// A snapshot that is not acknowledged, and what was in flight before it, in bytes.
    ahead: u64,
    /// The byte whose ack is timed, and when it was sent.
    timed: Option<(Offset, Duration)>,
    /// Whether the window held back output since the timed byte was sent.
    limited: bool,
    /// Least round trip seen, and when.
    least: Option<(Duration, Duration)>,
    /// The window to go back to after a new least round trip has been measured.
    probing: Option<u64>,
}

/// An ack for bytes that were never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ack of offset {acked} is beyond what was sent, {sent}")]
pub struct AckBeyondSent {
    /// The offset acknowledged.
    pub acked: Offset,
    /// The offset sent so far.
    pub sent: Offset,
}

/// How long bytes may queue between server and eye: short enough to feel immediate after Ctrl-C.
pub const QUEUE_TARGET: Duration = Duration::from_millis(80);
/// How long a measured round trip is believed: a link that became longer must not look like a queue.
const LEAST_BELIEVED: Duration = Duration::from_secs(10);
/// Least in flight: one screen full of text, and more than two acks of 8 KiB apart.
pub const WINDOW_MIN: u64 = 16 << 10;
/// Most in flight: 100 ms at 10 MB/s, which is faster than any terminal draws.
pub const WINDOW_MAX: u64 = 1 << 20;

impl FlowWindow {
    /// The window of a viewer whose output starts at `offset`.
    #[must_use]
    pub const fn new(offset: Offset) -> Self {
        Self {
            window: WINDOW_MIN,
            sent: offset,
            acked: offset,
            ahead: 0,
            timed: None,
            limited: false,
            least: None,
            probing: None,
        }
    }

    /// The offset up to which the viewer has processed everything.
    #[must_use]
    pub const fn acked(&self) -> Offset {
        self.acked
    }

    /// Bytes sent and not acknowledged, those of a snapshot included.
    #[must_use]
    pub const fn in_flight(&self) -> u64 {
        self.ahead + self.sent.since(self.acked)
    }

    /// Present size of the window in bytes.
    #[must_use]
    pub const fn window(&self) -> u64 {
        self.window
    }

    /// Bytes that may be sent now.
    #[must_use]
    pub const fn room(&self) -> u64 {
        self.window.saturating_sub(self.in_flight())
    }

    /// Everything before `offset` was handed to the socket at `now`.
    pub const fn handle_sent(&mut self, offset: Offset, now: Duration) {
        self.sent = offset;
        if self.timed.is_none() {
            self.timed = Some((offset, now));
            self.limited = false;
        }
    }

    /// There was output to send and no room for it.
    pub const fn handle_blocked(&mut self) {
        self.limited = true;
    }

    /// Output continues at `offset` after a snapshot of `bytes`, which is acknowledged with that
    /// offset. Until then what was sent before it and the snapshot itself are in flight.
    pub const fn handle_snapshot(&mut self, offset: Offset, bytes: u64) {
        let ahead = self.in_flight() + bytes;
        self.handle_skip(offset);
        self.ahead = ahead;
    }

    /// Output continues at `offset`; what was in between is never acknowledged.
    pub const fn handle_skip(&mut self, offset: Offset) {
        self.ahead = 0;
        self.sent = offset;
        self.acked = offset;
        self.timed = None;
    }

    /// The viewer has processed everything before `offset`. An ack below the last one is ignored.
    ///
    /// # Errors
    /// When it acknowledges what was never sent.
    pub fn handle_ack(&mut self, offset: Offset, now: Duration) -> Result<(), AckBeyondSent> {
        if offset > self.sent {
            return Err(AckBeyondSent { acked: offset, sent: self.sent });
        }
        if offset >= self.acked {
            self.acked = offset;
            self.ahead = 0;
        }
        if let Some((timed, since)) = self.timed
            && self.acked >= timed
        {
            self.timed = None;
            self.adapt(now.saturating_sub(since), now);
        }
        Ok(())
    }

    fn adapt(&mut self, round_trip: Duration, now: Duration) {
        if let Some(window) = self.probing.take() {
            // Acks come in steps, so even a small window measures a little too much.
            let most = self.least.map_or(round_trip, |(least, _)| least * 5 / 4);
            self.least = Some((round_trip.min(most), now));
            self.window = window;
            return;
        }
        let least = match self.least {
            Some((least, _)) if least <= round_trip => least,
            _ => {
                self.least = Some((round_trip, now));
                round_trip
            }
        };
        self.resize(round_trip.saturating_sub(least));
        self.limited = false;
        let believed = self.least.is_none_or(|(_, since)| now - since < LEAST_BELIEVED);
        if !believed {
            self.probing = Some(self.window);
            self.window = WINDOW_MIN;
        }
    }

    /// Fits the window to the time that the last timed byte spent `queued`.
    fn resize(&mut self, queued: Duration) {
        if queued > QUEUE_TARGET {
            let shrunk = u128::from(self.window) * QUEUE_TARGET.as_micros() / queued.as_micros();
            let shrunk = u64::try_from(shrunk).unwrap_or(WINDOW_MAX);
            // At most to a half at once: one late ack may be the viewer's own pause.
            self.window = shrunk.max(self.window / 2).max(WINDOW_MIN);
        } else if self.limited && queued < QUEUE_TARGET / 2 {
            self.window = (self.window * 3 / 2).min(WINDOW_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A link of fixed round trip and rate with an endless queue; the viewer acks each 8 KiB.
    /// Returns bytes per second delivered and the longest wait of a byte in the queue, both over
    /// the second half of `seconds`.
    fn run(round_trip_ms: u64, bytes_per_ms: u64, seconds: u64) -> (u64, Duration) {
        let mut flow = FlowWindow::new(Offset::ZERO);
        let (mut sent, mut drained, mut acked) = (0_u64, 0_u64, 0_u64);
        let mut acks: Vec<(u64, u64)> = Vec::new();
        let mut worst = 0;
        let half = seconds * 500;
        let mut at_half = 0;
        for ms in 0..seconds * 1000 {
            let now = Duration::from_millis(ms);
            acks.retain(|&(due, offset)| {
                if due <= ms {
                    flow.handle_ack(Offset(offset), now).unwrap();
                }
                due > ms
            });
            let room = flow.room();
            if room > 0 {
                sent += room;
                flow.handle_sent(Offset(sent), now);
            }
            flow.handle_blocked();
            drained = sent.min(drained + bytes_per_ms);
            if drained - acked >= 8192 {
                acked = drained;
                acks.push((ms + round_trip_ms, drained));
            }
            if ms == half {
                at_half = drained;
            }
            if ms >= half {
                worst = worst.max((sent - drained) / bytes_per_ms);
            }
        }
        ((drained - at_half) * 1000 / half, Duration::from_millis(worst))
    }

    #[test]
    fn a_slow_link_queues_little_and_loses_no_speed() {
        for (round_trip_ms, bytes_per_ms) in
            [(1, 100), (1, 1000), (40, 125), (200, 125), (100, 1000)]
        {
            let (rate, worst) = run(round_trip_ms, bytes_per_ms, 20);
            let least = bytes_per_ms * 1000 * 8 / 10;
            assert!(rate >= least, "{round_trip_ms} ms, {bytes_per_ms} B/ms: {rate} B/s");
            let most = Duration::from_millis(250 + WINDOW_MIN / bytes_per_ms);
            assert!(worst <= most, "{round_trip_ms} ms, {bytes_per_ms} B/ms: {worst:?}");
        }
    }

    #[test]
    fn a_fast_link_reaches_the_ceiling() {
        let (rate, _) = run(1, 100_000, 4);
        assert!(rate > 60_000_000, "{rate} B/s");
    }

    #[test]
    fn refuses_acks_of_what_was_never_sent() {
        let mut flow = FlowWindow::new(Offset(10));
        flow.handle_sent(Offset(20), Duration::ZERO);
        assert!(flow.handle_ack(Offset(21), Duration::ZERO).is_err());
        assert_eq!(flow.in_flight(), 10);
        flow.handle_ack(Offset(20), Duration::ZERO).unwrap();
        flow.handle_ack(Offset(5), Duration::ZERO).unwrap();
        assert_eq!(flow.acked(), Offset(20));
    }

    #[test]
    fn a_snapshot_is_in_flight_until_it_is_acknowledged() {
        let mut flow = FlowWindow::new(Offset::ZERO);
        flow.handle_sent(Offset(6_000), Duration::ZERO);
        flow.handle_snapshot(Offset(9_000_000), 5_000);
        assert_eq!((flow.in_flight(), flow.room()), (11_000, WINDOW_MIN - 11_000));
        flow.handle_sent(Offset(9_001_000), Duration::ZERO);
        flow.handle_ack(Offset(6_000), Duration::ZERO).unwrap();
        assert_eq!(flow.in_flight(), 12_000, "an ack from before the snapshot");
        flow.handle_ack(Offset(9_000_000), Duration::ZERO).unwrap();
        assert_eq!(flow.in_flight(), 1_000);
    }

    #[test]
    fn a_skip_leaves_nothing_in_flight() {
        let mut flow = FlowWindow::new(Offset::ZERO);
        flow.handle_sent(Offset(50_000), Duration::ZERO);
        flow.handle_skip(Offset(9_000_000));
        assert_eq!(flow.in_flight(), 0);
        assert!(flow.handle_ack(Offset(50_000), Duration::ZERO).is_ok());
    }
}
