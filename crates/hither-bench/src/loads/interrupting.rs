//! Ctrl-C while a flood runs.

use std::time::Duration;

use crate::content::{GO, Marker, PROMPT};
use crate::engine::{ConnectionId, Failure, Load, Wishes};
use crate::stats::Moment;

/// Starts a flood, interrupts it after a while and waits for the prompt.
#[derive(Debug)]
pub(crate) struct Interrupting {
    id: ConnectionId,
    after: Duration,
    interrupt_at: Moment,
    interrupted: Option<Moment>,
    marker: Marker,
    /// From Ctrl-C to the prompt.
    pub(crate) took: Option<Duration>,
    /// Bytes that came between Ctrl-C and the prompt.
    pub(crate) between: u64,
    /// Bytes that came before Ctrl-C.
    pub(crate) before: u64,
    /// Why the connection ended, if it did.
    pub(crate) failure: Option<String>,
}

impl Interrupting {
    /// Interrupts the flood on `id` when it has run for `after`.
    pub(crate) fn new(id: ConnectionId, after: Duration) -> Self {
        Self {
            id,
            after,
            interrupt_at: Moment::MAX,
            interrupted: None,
            marker: Marker::new(PROMPT),
            took: None,
            between: 0,
            before: 0,
            failure: None,
        }
    }
}

impl Load for Interrupting {
    fn handle_start(&mut self, now: Moment, wishes: &mut Wishes) {
        self.interrupt_at = now + self.after;
        wishes.type_input(self.id, &[GO]);
    }

    fn handle_output(&mut self, _: ConnectionId, now: Moment, bytes: &[u8], _: &mut Wishes) {
        let Some(interrupted) = self.interrupted else {
            self.before += bytes.len() as u64;
            return;
        };
        self.between += bytes.len() as u64;
        if self.marker.find(bytes).is_some() && self.took.is_none() {
            self.took = Some(now.saturating_sub(interrupted));
        }
    }

    fn handle_end(&mut self, _: ConnectionId, _: Moment, why: &Failure, _: &mut Wishes) {
        self.failure = Some(why.to_string());
    }

    fn handle_timer(&mut self, now: Moment, wishes: &mut Wishes) {
        if self.interrupted.is_none() && now >= self.interrupt_at {
            self.interrupted = Some(now);
            wishes.type_input(self.id, b"\x03");
        }
    }

    fn poll_timer(&self) -> Option<Moment> {
        self.interrupted.is_none().then_some(self.interrupt_at)
    }

    fn is_finished(&self) -> bool {
        self.took.is_some() || self.failure.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::simulation::Simulation;

    #[test]
    fn times_the_prompt_from_the_interrupt() {
        let answer = |input: &[u8]| match input {
            [GO] => vec![b"flood".to_vec()],
            _ => vec![b"rest hither-".to_vec(), b"prompt>".to_vec()],
        };
        let server = Simulation {
            answers_at: Box::new(|now| now + Duration::from_millis(40)),
            answer: Box::new(answer),
            ..Simulation::echoing()
        };
        let mut load = Interrupting::new(ConnectionId(0), Duration::from_secs(3));
        let end = server.run(&mut load, Duration::from_secs(9));
        assert_eq!(load.took, Some(Duration::from_millis(40)));
        assert_eq!(end, Duration::from_millis(3040));
        assert_eq!((load.before, load.between), (5, 19));
    }
}
