//! A server in virtual time, to run loads against.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{ConnectionId, Load, Wishes};
use crate::stats::Moment;

/// When a simulated server answers what arrives at a time.
pub(crate) type AnswersAt = Box<dyn Fn(Moment) -> Moment>;
/// What it answers to an input.
pub(crate) type Answer = Box<dyn Fn(&[u8]) -> Vec<Vec<u8>>>;

/// Runs a load against a server that exists only in arithmetic.
pub(crate) struct Simulation {
    /// What each connection says when it is open.
    pub(crate) greeting: &'static [u8],
    pub(crate) answers_at: AnswersAt,
    pub(crate) answer: Answer,
}

/// What will arrive, by time and order.
type Arrivals = BTreeMap<(Moment, u64), (ConnectionId, Vec<u8>)>;

impl Simulation {
    /// A server that echoes at once.
    pub(crate) fn echoing() -> Self {
        Self {
            greeting: b"",
            answers_at: Box::new(|now| now),
            answer: Box::new(|input| vec![input.to_vec()]),
        }
    }

    /// Runs `load` for `limit` of virtual time.
    pub(crate) fn run(&self, load: &mut impl Load, limit: Duration) -> Moment {
        let mut now = Moment::ZERO;
        let mut arrivals = Arrivals::new();
        let mut order = 0;
        let mut connections = 0;
        let mut wishes = Wishes::default();
        load.handle_start(now, &mut wishes);
        loop {
            for (id, input) in wishes.typed() {
                for message in (self.answer)(input) {
                    order += 1;
                    arrivals.insert(((self.answers_at)(now), order), (id, message));
                }
            }
            let opened = std::mem::take(&mut wishes.opened);
            wishes.clear();
            for _ in 0..opened {
                let id = ConnectionId(connections);
                connections += 1;
                order += 1;
                arrivals.insert((now, order), (id, self.greeting.to_vec()));
                load.handle_open(id, now, &mut wishes);
            }
            if opened > 0 {
                continue;
            }
            if load.is_finished() {
                return now;
            }
            let arrival = arrivals.first_key_value().map(|(key, _)| key.0);
            let Some(next) = [arrival, load.poll_timer()].into_iter().flatten().min() else {
                return now;
            };
            now = now.max(next);
            if now > limit {
                return now;
            }
            if arrival == Some(next) {
                let (_, (id, message)) = arrivals.pop_first().expect("it was there");
                load.handle_output(id, now, &message, &mut wishes);
            } else {
                load.handle_timer(now, &mut wishes);
            }
        }
    }
}
