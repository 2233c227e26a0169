//! Types keys and times their echo.

use std::time::Duration;

use super::lane_of::LaneOf;
use super::{GRACE, Timeline};
use crate::content::{Damage, EchoCheck};
use crate::engine::{ConnectionId, Failure, Load, Wishes};
use crate::stats::{Latencies, Moment, OpenLoop};

/// Keys that may be under way on a connection before anything has to be allocated.
const SPACE: usize = 256;

/// When the next key is typed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// When the echo of the last one is there: how fast a server *can* be.
    Closed,
    /// So many keys a second on each connection, whatever comes back: how fast it *is* for people.
    Open(f64),
}

/// Types on some connections for a while.
#[derive(Debug)]
pub(crate) struct Typing {
    lanes: Vec<Lane>,
    lane_of: LaneOf,
    pace: Pace,
    length: Duration,
    schedule: OpenLoop,
    next: u64,
    end: Moment,
    over: bool,
    /// From when a key was due to its echo.
    pub(crate) latencies: Latencies,
    /// The same by time.
    pub(crate) timeline: Timeline,
    /// Connections that ended, and why.
    pub(crate) failures: Vec<String>,
}

#[derive(Debug)]
struct Lane {
    id: ConnectionId,
    check: EchoCheck,
    broken: bool,
}

impl Typing {
    /// Types on `connections` at `pace` for `length`.
    pub(crate) fn new(connections: &[ConnectionId], pace: Pace, length: Duration) -> Self {
        let lane = |id: &ConnectionId| Lane {
            id: *id,
            check: EchoCheck::with_space(SPACE),
            broken: false,
        };
        Self {
            lanes: connections.iter().map(lane).collect(),
            lane_of: LaneOf::new(connections),
            pace,
            length,
            schedule: OpenLoop::new(Moment::ZERO, 1, 0.0, Duration::ZERO),
            next: 0,
            end: Moment::MAX,
            over: false,
            latencies: Latencies::default(),
            timeline: Timeline::new(Moment::ZERO, length / 60),
            failures: Vec::new(),
        }
    }

    /// Whether keys are typed on this connection.
    pub(crate) fn has(&self, id: ConnectionId) -> bool {
        self.lane_of.find(id).is_some()
    }

    /// Keys typed so far.
    pub(crate) fn typed(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.check.typed()).sum()
    }

    /// When the last key was due.
    pub(crate) const fn length(&self) -> Duration {
        self.length
    }

    /// What went wrong with the keys; those without an echo by now are lost.
    pub(crate) fn damage(&self) -> Damage {
        let mut sum = Damage::default();
        for lane in &self.lanes {
            sum += lane.check.clone().finish();
        }
        sum
    }

    fn type_on(&mut self, index: usize, due: Moment, wishes: &mut Wishes) {
        let lane = &mut self.lanes[index];
        if !lane.broken {
            let key = lane.check.type_key(due);
            wishes.type_input(lane.id, &[key]);
        }
    }

    fn is_quiet(&self) -> bool {
        self.lanes.iter().all(|lane| lane.broken || lane.check.under_way() == 0)
    }
}

impl Load for Typing {
    fn handle_start(&mut self, now: Moment, wishes: &mut Wishes) {
        self.end = now + self.length;
        self.timeline = Timeline::new(now, self.length / 60);
        match self.pace {
            Pace::Closed => {
                for index in 0..self.lanes.len() {
                    self.type_on(index, now, wishes);
                }
            }
            Pace::Open(rate) => {
                self.schedule = OpenLoop::new(now, self.lanes.len() as u64, rate, self.length);
                self.handle_timer(now, wishes);
            }
        }
    }

    fn handle_output(&mut self, id: ConnectionId, now: Moment, bytes: &[u8], wishes: &mut Wishes) {
        let Some(index) = self.lane_of.find(id) else { return };
        for byte in bytes {
            let Some(due) = self.lanes[index].check.handle_echo(*byte) else { continue };
            self.latencies.record(due, now);
            self.timeline.add(now, now.saturating_sub(due).as_secs_f64());
            if matches!(self.pace, Pace::Closed) && now < self.end {
                self.type_on(index, now, wishes);
            }
        }
    }

    fn handle_end(&mut self, id: ConnectionId, _now: Moment, why: &Failure, _: &mut Wishes) {
        if let Some(index) = self.lane_of.find(id) {
            self.lanes[index].broken = true;
            self.failures.push(why.to_string());
        }
    }

    fn handle_timer(&mut self, now: Moment, wishes: &mut Wishes) {
        while let Some((due, lane)) = self.schedule.due(self.next).filter(|(due, _)| *due <= now) {
            self.next += 1;
            let index = usize::try_from(lane).expect("a lane is an index");
            self.type_on(index, due, wishes);
        }
        self.over |= now >= self.end + GRACE || now >= self.end && self.is_quiet();
    }

    fn poll_timer(&self) -> Option<Moment> {
        let due = self.schedule.due(self.next).map(|(due, _)| due);
        Some(due.unwrap_or_else(|| {
            let end = self.end;
            if self.is_quiet() { end } else { end + GRACE }
        }))
    }

    fn is_finished(&self) -> bool {
        self.over || self.lanes.iter().all(|lane| lane.broken)
    }
}

#[cfg(test)]
#[path = "typing_tests.rs"]
mod tests;
