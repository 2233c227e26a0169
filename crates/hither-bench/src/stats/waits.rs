//! The old metric: the mean wait between two messages.

use std::time::Duration;

use super::{Moment, float};

/// What the plan's benchmark called response time: how long the reader of a connection waited
/// between one message and the next.
///
/// It is kept to be shown beside the true response time. A server that answers every line at once
/// with `m` messages scores `1 s ÷ m` when one line a second is sent, however fast it is, and a
/// server that batches its answers into fewer messages scores *worse*.
#[derive(Clone, Copy, Debug, Default)]
pub struct MessageWaits {
    last: Option<Moment>,
    messages: u64,
    waits: u64,
    total: Duration,
    max: Duration,
}

impl MessageWaits {
    /// Takes note of a message that arrived at `now`.
    pub fn handle_message(&mut self, now: Moment) {
        self.messages += 1;
        if let Some(last) = self.last.replace(now) {
            let wait = now.saturating_sub(last);
            self.waits += 1;
            self.total += wait;
            self.max = self.max.max(wait);
        }
    }

    /// Adds the waits of another connection.
    pub fn merge(&mut self, other: &Self) {
        self.messages += other.messages;
        self.waits += other.waits;
        self.total += other.total;
        self.max = self.max.max(other.max);
    }

    /// How many messages arrived.
    #[must_use]
    pub const fn messages(&self) -> u64 {
        self.messages
    }

    /// The mean wait; `None` before the second message.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        (self.waits > 0).then(|| self.total.div_f64(float(self.waits)))
    }

    /// The longest wait.
    #[must_use]
    pub const fn max(&self) -> Duration {
        self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One connection of the plan's benchmark against a toy server without any latency: a line a
    /// second for 25 s, answered in the same instant with four or five messages, 4.49 on average.
    fn toy_connection(answers: impl Fn(u32) -> u32) -> MessageWaits {
        let mut waits = MessageWaits::default();
        for line in 0..25 {
            let sent = Duration::from_secs(line.into());
            for _ in 0..answers(line) {
                waits.handle_message(sent);
            }
        }
        waits
    }

    #[test]
    fn reproduces_the_222_ms_of_a_server_without_latency() {
        let mut all = MessageWaits::default();
        for connection in 0..100 {
            let answers = |line: u32| 4 + u32::from((line * 49 + connection * 7) % 100 < 49);
            all.merge(&toy_connection(answers));
        }
        let per_line = float(all.messages()) / 2500.0;
        assert!((per_line - 4.49).abs() < 0.02, "{per_line}");
        let mean = all.mean().unwrap().as_secs_f64() * 1e3;
        assert!((mean - 222.0).abs() < 10.0, "the old metric says {mean} ms");
        assert_eq!(all.max(), Duration::from_secs(1), "its maximum is the sending period");
    }

    #[test]
    fn long_runs_come_to_the_period_divided_by_the_messages() {
        let mut waits = MessageWaits::default();
        for hundredth in 0..449_000_u64 {
            let line = hundredth * 100 / 449;
            waits.handle_message(Duration::from_secs(line));
        }
        let mean = waits.mean().unwrap().as_secs_f64() * 1e3;
        assert!((mean - 222.7).abs() < 0.3, "{mean}");
    }

    #[test]
    fn batching_makes_the_old_metric_worse() {
        let many = toy_connection(|_| 5).mean().unwrap();
        let batched = toy_connection(|_| 1).mean().unwrap();
        assert!(batched > many * 4);
        assert_eq!(MessageWaits::default().mean(), None);
    }
}
