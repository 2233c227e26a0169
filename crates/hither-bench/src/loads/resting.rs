//! Does nothing for a while; output is counted and thrown away.

use std::time::Duration;

use crate::engine::{ConnectionId, Failure, Load, Wishes};
use crate::stats::Moment;

/// Waits, and optionally closes connections first.
#[derive(Debug)]
pub(crate) struct Resting {
    length: Duration,
    closing: Vec<ConnectionId>,
    end: Moment,
    over: bool,
    /// Bytes that came meanwhile.
    pub(crate) received: u64,
    /// Connections that ended meanwhile, and why.
    pub(crate) failures: Vec<String>,
}

impl Resting {
    /// Closes `closing` and waits for `length`.
    pub(crate) const fn closing(closing: Vec<ConnectionId>, length: Duration) -> Self {
        Self { length, closing, end: Moment::MAX, over: false, received: 0, failures: Vec::new() }
    }
}

impl Load for Resting {
    fn handle_start(&mut self, now: Moment, wishes: &mut Wishes) {
        self.end = now + self.length;
        self.closing.iter().for_each(|id| wishes.close(*id));
    }

    fn handle_output(&mut self, _: ConnectionId, _: Moment, bytes: &[u8], _: &mut Wishes) {
        self.received += bytes.len() as u64;
    }

    fn handle_end(&mut self, _: ConnectionId, _: Moment, why: &Failure, _: &mut Wishes) {
        self.failures.push(why.to_string());
    }

    fn handle_timer(&mut self, now: Moment, _: &mut Wishes) {
        self.over |= now >= self.end;
    }

    fn poll_timer(&self) -> Option<Moment> {
        Some(self.end)
    }

    fn is_finished(&self) -> bool {
        self.over
    }
}
