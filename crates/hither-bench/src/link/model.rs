//! One direction of a link in virtual time: a bounded queue, a rate, a delay.

use std::collections::VecDeque;
use std::time::Duration;

use super::LinkSpec;
use crate::stats::{Moment, count, float};

/// Bytes that wait for their turn at the slow end of the link, at most.
const QUEUE_MAX: usize = 64 * 1024;
/// Bytes that travel as one; about an Ethernet packet.
const SEGMENT: usize = 1500;

/// One direction of a link.
///
/// Bytes wait in a queue of 64 KiB, leave it at the link's rate and arrive half a round trip later.
/// What does not fit in the queue is refused: the sender feels it as back-pressure, and what is
/// under way behind its back is bounded, as with a router that has little memory.
#[derive(Debug)]
pub struct Channel {
    delay: Duration,
    seconds_per_byte: f64,
    stall: Option<(Moment, Moment)>,
    free_at: Moment,
    segments: VecDeque<Segment>,
}

#[derive(Debug)]
struct Segment {
    sent: Moment,
    arrives: Moment,
    bytes: Vec<u8>,
    taken: usize,
}

impl Channel {
    /// A direction of a link like `spec`, whose connection began at `now`.
    #[must_use]
    pub fn new(spec: &LinkSpec, now: Moment) -> Self {
        Self {
            delay: spec.rtt / 2,
            seconds_per_byte: spec.bytes_per_second.map_or(0.0, f64::recip),
            stall: spec.stall.map(|(length, at)| (now + at, now + at + length)),
            free_at: now,
            segments: VecDeque::new(),
        }
    }

    /// How many bytes the queue takes at `now`.
    #[must_use]
    pub fn space(&self, now: Moment) -> usize {
        let waiting = self.segments.iter().skip(self.first_waiting(now));
        let waiting: usize = waiting.map(|segment| segment.bytes.len()).sum();
        QUEUE_MAX.saturating_sub(waiting)
    }

    /// Puts `bytes`, no more than there is [space](Self::space) for, into the queue.
    pub fn send(&mut self, bytes: &[u8], now: Moment) {
        for piece in bytes.chunks(SEGMENT) {
            let takes = Duration::from_secs_f64(float(piece.len() as u64) * self.seconds_per_byte);
            let sent = self.after_stall(self.free_at.max(now)) + takes;
            let sent = self.after_stall(sent);
            self.free_at = sent;
            let arrives = self.after_stall(sent + self.delay);
            self.segments.push_back(Segment { sent, arrives, bytes: piece.to_vec(), taken: 0 });
        }
    }

    /// The bytes that have arrived at `now` and were not taken yet, one segment at a time.
    #[must_use]
    pub fn arrived(&self, now: Moment) -> &[u8] {
        match self.segments.front() {
            Some(segment) if segment.arrives <= now => &segment.bytes[segment.taken..],
            _ => &[],
        }
    }

    /// Takes `len` bytes of what has [arrived](Self::arrived).
    pub fn take(&mut self, len: usize) {
        if let Some(segment) = self.segments.front_mut() {
            segment.taken += len;
            if segment.taken >= segment.bytes.len() {
                self.segments.pop_front();
            }
        }
    }

    /// When the next bytes arrive or leave the queue; `None` when the link is empty.
    #[must_use]
    pub fn next_event(&self, now: Moment) -> Option<Moment> {
        let arrives = self.segments.front()?.arrives;
        let leaves = self.segments.get(self.first_waiting(now)).map(|segment| segment.sent);
        Some(leaves.map_or(arrives, |sent| sent.min(arrives)))
    }

    /// Index of the first segment that has not left the queue: they leave in order.
    fn first_waiting(&self, now: Moment) -> usize {
        self.segments.partition_point(|segment| segment.sent <= now)
    }

    /// Whether nothing is queued or under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    fn after_stall(&self, time: Moment) -> Moment {
        match self.stall {
            Some((from, to)) if (from..to).contains(&time) => to,
            _ => time,
        }
    }
}

/// Limits a reader to a rate: it may read what has gathered in the bucket.
#[derive(Clone, Copy, Debug)]
pub struct TokenBucket {
    bytes_per_second: f64,
    depth: f64,
    filled: f64,
    at: Moment,
}

impl TokenBucket {
    /// A bucket filled at `bytes_per_second`, which holds what comes in 10 ms (at least 1 KiB).
    #[must_use]
    pub fn new(bytes_per_second: f64, now: Moment) -> Self {
        let depth = (bytes_per_second / 100.0).max(1024.0);
        Self { bytes_per_second, depth, filled: depth, at: now }
    }

    /// How many bytes may be read at `now`.
    pub fn allowance(&mut self, now: Moment) -> usize {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.filled = (self.filled + passed * self.bytes_per_second).min(self.depth);
        usize::try_from(count(self.filled.floor())).unwrap_or(usize::MAX)
    }

    /// Takes `len` bytes out.
    pub fn take(&mut self, len: usize) {
        self.filled -= float(len as u64);
    }

    /// When the bucket is half full again, if it is not now.
    #[must_use]
    pub fn next_event(&self, now: Moment) -> Moment {
        let lacks = (self.depth / 2.0 - self.filled).max(1.0);
        now + Duration::from_secs_f64(lacks / self.bytes_per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(text: &str) -> Channel {
        Channel::new(&text.parse().unwrap(), Duration::ZERO)
    }

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Everything that has arrived at `now`.
    fn receive(channel: &mut Channel, now: Moment) -> Vec<u8> {
        let mut bytes = Vec::new();
        while !channel.arrived(now).is_empty() {
            let piece = channel.arrived(now).to_vec();
            channel.take(piece.len());
            bytes.extend(piece);
        }
        bytes
    }

    #[test]
    fn bytes_arrive_after_half_the_round_trip() {
        let mut channel = link("rtt=200ms");
        channel.send(b"key", ms(10));
        assert_eq!(channel.next_event(ms(10)), Some(ms(110)));
        assert_eq!(channel.arrived(ms(109)), b"");
        assert_eq!(channel.arrived(ms(110)), b"key");
        channel.take(2);
        assert_eq!(channel.arrived(ms(110)), b"y");
        channel.take(1);
        assert!(channel.is_empty());
    }

    #[test]
    fn bytes_leave_at_the_rate_and_stay_in_order() {
        let mut channel = link("rtt=200ms,rate=1mbit");
        let bytes: Vec<u8> = (0..=255).cycle().take(25_000).collect();
        channel.send(&bytes, Duration::ZERO);
        let half = receive(&mut channel, ms(200));
        assert!((11_000..=12_500).contains(&half.len()), "{} in 100 ms", half.len());
        let rest = receive(&mut channel, ms(300));
        assert_eq!([half, rest].concat(), bytes);
    }

    #[test]
    fn the_queue_is_bounded_and_drains() {
        let mut channel = link("rate=1mbit");
        assert_eq!(channel.space(Duration::ZERO), QUEUE_MAX);
        channel.send(&vec![0; QUEUE_MAX], Duration::ZERO);
        assert_eq!(channel.space(Duration::ZERO), 0);
        let later = channel.space(ms(100));
        assert!((10_500..=13_500).contains(&later), "{later}");
        assert_eq!(channel.space(ms(600)), QUEUE_MAX, "what travels is not in the queue");
    }

    #[test]
    fn a_stall_holds_everything_up() {
        let mut channel = link("rtt=20ms,stall=2s@1s");
        channel.send(b"a", ms(980));
        channel.send(b"b", ms(995));
        channel.send(b"c", ms(1500));
        assert_eq!(receive(&mut channel, ms(990)), b"a");
        assert_eq!(receive(&mut channel, ms(2999)), b"");
        assert_eq!(receive(&mut channel, ms(3000)), b"b");
        assert_eq!(receive(&mut channel, ms(3010)), b"c");
    }

    #[test]
    fn a_bucket_gives_its_rate_and_no_hoard() {
        let mut bucket = TokenBucket::new(100_000.0, Duration::ZERO);
        let mut read = 0;
        for tick in 0..1000 {
            let allowed = bucket.allowance(ms(tick));
            bucket.take(allowed);
            read += allowed;
        }
        assert!((100_000..=102_000).contains(&read), "{read}");
        assert_eq!(bucket.allowance(ms(100_000)), 1024, "waiting is not saved up");
        bucket.take(1024);
        let next = bucket.next_event(ms(100_000));
        assert!(bucket.allowance(next) >= 500);
    }
}
