//! Opens connections and waits until the program of each has said something.

use std::time::Duration;

use super::Timeline;
use crate::content::{Marker, READY};
use crate::engine::{ConnectionId, Failure, Load, Wishes};
use crate::stats::{Latencies, Moment};

/// Opens connections, all at once or one after the other, until each program has said [`READY`].
#[derive(Debug)]
pub(crate) struct Opening {
    /// Number of the first connection.
    first: usize,
    wanted: usize,
    ramp: Duration,
    /// Typed into each as soon as it is open, to start the program in a shell.
    typed: String,
    /// What is waited for.
    words: &'static str,
    start: Moment,
    asked: usize,
    pending: Vec<Pending>,
    /// The connections whose program is there.
    pub(crate) ready: Vec<ConnectionId>,
    /// From when each should have been opened to the program's first word.
    pub(crate) latencies: Latencies,
    /// When the last one was there, from the start.
    pub(crate) last: Duration,
    /// Bytes that came until then.
    pub(crate) received: u64,
    /// Programs that were there, by time.
    pub(crate) timeline: Timeline,
    /// Why the others failed.
    pub(crate) failures: Vec<String>,
}

#[derive(Debug)]
struct Pending {
    due: Moment,
    marker: Marker,
    done: bool,
}

impl Opening {
    /// A load that opens `wanted` connections on an engine that has had `first` so far.
    pub(crate) fn new(first: usize, wanted: usize, ramp: Duration) -> Self {
        Self {
            first,
            wanted,
            ramp,
            typed: String::new(),
            words: READY,
            start: Moment::ZERO,
            asked: 0,
            pending: Vec::with_capacity(wanted),
            ready: Vec::with_capacity(wanted),
            latencies: Latencies::default(),
            last: Duration::ZERO,
            received: 0,
            timeline: Timeline::new(Moment::ZERO, Duration::from_millis(10)),
            failures: Vec::new(),
        }
    }

    /// A load that opens one connection and waits for `words` on it.
    pub(crate) fn until(first: usize, words: &'static str) -> Self {
        Self { words, ..Self::new(first, 1, Duration::ZERO) }
    }

    /// The same, typing a line into each connection first.
    pub(crate) fn typing(self, line: Option<String>) -> Self {
        Self { typed: line.map_or_else(String::new, |line| line + "\r"), ..self }
    }

    /// Counts those that are not ready by now as failed.
    pub(crate) fn give_up(&mut self) {
        for pending in &mut self.pending {
            if !std::mem::replace(&mut pending.done, true) {
                self.failures.push("the program said nothing".to_owned());
            }
        }
    }

    fn pending(&mut self, id: ConnectionId) -> Option<&mut Pending> {
        self.pending.get_mut(id.0.checked_sub(self.first)?)
    }

    fn due(&self, index: usize) -> Moment {
        let share = self.ramp.mul_f64(crate::stats::float(index as u64));
        self.start + share.div_f64(crate::stats::float(self.wanted.max(1) as u64))
    }

    fn finish(&mut self, id: ConnectionId) -> bool {
        let pending = self.pending(id);
        pending.is_some_and(|pending| !std::mem::replace(&mut pending.done, true))
    }
}

impl Load for Opening {
    fn handle_start(&mut self, now: Moment, wishes: &mut Wishes) {
        self.start = now;
        self.timeline = Timeline::new(now, Duration::from_millis(10));
        self.handle_timer(now, wishes);
    }

    fn handle_open(&mut self, id: ConnectionId, _now: Moment, wishes: &mut Wishes) {
        if !self.typed.is_empty() {
            wishes.type_input(id, self.typed.as_bytes());
        }
    }

    fn handle_output(&mut self, id: ConnectionId, now: Moment, bytes: &[u8], _: &mut Wishes) {
        self.received += bytes.len() as u64;
        let Some(pending) = self.pending(id) else { return };
        if pending.done || pending.marker.find(bytes).is_none() {
            return;
        }
        let due = pending.due;
        self.finish(id);
        self.ready.push(id);
        self.latencies.record(due, now);
        self.timeline.add(now, 1.0);
        self.last = now.saturating_sub(self.start);
    }

    fn handle_end(&mut self, id: ConnectionId, _now: Moment, why: &Failure, _: &mut Wishes) {
        if id.0 < self.first {
            // One of an earlier load, whose end comes late.
        } else if self.finish(id) {
            self.failures.push(why.to_string());
        } else {
            self.ready.retain(|ready| *ready != id);
            self.failures.push(format!("ended after it was ready: {why}"));
        }
    }

    fn handle_timer(&mut self, now: Moment, wishes: &mut Wishes) {
        while self.asked < self.wanted && self.due(self.asked) <= now {
            let (due, marker) = (self.due(self.asked), Marker::new(self.words));
            self.pending.push(Pending { due, marker, done: false });
            self.asked += 1;
            wishes.open();
        }
    }

    fn poll_timer(&self) -> Option<Moment> {
        (self.asked < self.wanted).then(|| self.due(self.asked))
    }

    fn is_finished(&self) -> bool {
        self.asked == self.wanted && self.pending.iter().all(|pending| pending.done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::simulation::Simulation;

    fn server() -> Simulation {
        Simulation { greeting: READY.as_bytes(), ..Simulation::echoing() }
    }

    #[test]
    fn opens_all_at_once_and_sees_them_ready() {
        let mut load = Opening::new(0, 100, Duration::ZERO);
        let end = server().run(&mut load, Duration::from_secs(1));
        assert_eq!((load.ready.len(), load.failures.len()), (100, 0));
        assert_eq!(end, Duration::ZERO);
        assert_eq!(load.latencies.len(), 100);
    }

    #[test]
    fn opens_one_after_the_other_in_the_ramp() {
        let mut load = Opening::new(0, 100, Duration::from_secs(10));
        server().run(&mut load, Duration::from_secs(20));
        assert_eq!(load.ready.len(), 100);
        assert_eq!(load.last, Duration::from_millis(9900));
        assert!(load.latencies.summary().max < Duration::from_millis(1));
    }

    #[test]
    fn a_program_that_says_nothing_is_not_ready() {
        let mut load = Opening::new(0, 3, Duration::ZERO);
        Simulation::echoing().run(&mut load, Duration::from_secs(1));
        assert!(!load.is_finished());
        assert!(load.ready.is_empty());
        load.give_up();
        assert!(load.is_finished());
        assert_eq!(load.failures.len(), 3);
    }

    #[test]
    fn failures_are_counted_with_their_reason() {
        let mut load = Opening::new(0, 2, Duration::ZERO);
        let mut wishes = Wishes::default();
        load.handle_start(Duration::ZERO, &mut wishes);
        load.handle_output(ConnectionId(0), Duration::ZERO, READY.as_bytes(), &mut wishes);
        load.handle_end(ConnectionId(1), Duration::ZERO, &Failure::Cut, &mut wishes);
        assert!(load.is_finished());
        assert_eq!((load.ready.len(), load.failures.len()), (1, 1));
        load.handle_end(ConnectionId(0), Duration::ZERO, &Failure::Cut, &mut wishes);
        assert_eq!((load.ready.len(), load.failures.len()), (0, 2), "it was lost again");
    }
}
