//! Lets programs write as fast as they can, and checks every byte.

use std::time::Duration;

use super::Timeline;
use super::lane_of::LaneOf;
use crate::content::{Damage, FloodCheck, GO};
use crate::engine::{ConnectionId, Failure, Load, Wishes};
use crate::stats::{Moment, float};

/// Floods on some connections until each is over.
#[derive(Debug)]
pub(crate) struct Flooding {
    lanes: Vec<Lane>,
    lane_of: LaneOf,
    start: Moment,
    end: Moment,
    /// What each had received when the first was over, or at the end.
    share: Option<Vec<u64>>,
    /// Bytes by time.
    pub(crate) timeline: Timeline,
    /// Bytes that the server skipped and said so.
    pub(crate) skipped: u64,
    /// Connections that ended before their flood, and why.
    pub(crate) failures: Vec<String>,
}

#[derive(Debug)]
struct Lane {
    id: ConnectionId,
    check: FloodCheck,
    done: bool,
}

impl Flooding {
    /// Floods of `lines` lines each on `connections`; of `u64::MAX` lines, they never finish.
    pub(crate) fn new(connections: &[ConnectionId], lines: u64) -> Self {
        let lane = |id: &ConnectionId| Lane { id: *id, check: FloodCheck::new(lines), done: false };
        Self {
            lanes: connections.iter().map(lane).collect(),
            lane_of: LaneOf::new(connections),
            start: Moment::ZERO,
            end: Moment::ZERO,
            share: None,
            timeline: Timeline::new(Moment::ZERO, Duration::from_millis(50)),
            skipped: 0,
            failures: Vec::new(),
        }
    }

    /// Whether this connection floods.
    pub(crate) fn has(&self, id: ConnectionId) -> bool {
        self.lane_of.find(id).is_some()
    }

    /// Bytes received.
    pub(crate) fn received(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.check.received()).sum()
    }

    /// From the start to the last byte.
    pub(crate) fn took(&self) -> Duration {
        self.end.saturating_sub(self.start)
    }

    /// The smallest share of a connection divided by the largest, while all were flooding.
    pub(crate) fn fairness(&self) -> Option<f64> {
        let now = || self.lanes.iter().map(|lane| lane.check.received()).collect();
        let share = self.share.clone().unwrap_or_else(now);
        let (min, max) = (share.iter().min()?, share.iter().max()?);
        (*max > 0).then(|| float(*min) / float(*max))
    }

    /// What went wrong with the bytes.
    pub(crate) fn damage(&self) -> Damage {
        let mut sum = Damage::default();
        for lane in &self.lanes {
            sum += lane.check.clone().finish();
        }
        sum
    }
}

impl Load for Flooding {
    fn handle_start(&mut self, now: Moment, wishes: &mut Wishes) {
        (self.start, self.end) = (now, now);
        self.timeline = Timeline::new(now, Duration::from_millis(50));
        for lane in &self.lanes {
            wishes.type_input(lane.id, &[GO]);
        }
    }

    fn handle_output(&mut self, id: ConnectionId, now: Moment, bytes: &[u8], _: &mut Wishes) {
        let Some(index) = self.lane_of.find(id) else { return };
        let lane = &mut self.lanes[index];
        lane.check.handle_output(bytes);
        self.end = now;
        self.timeline.add(now, float(bytes.len() as u64));
        if lane.check.is_over() && !lane.done {
            lane.done = true;
            if self.share.is_none() {
                let received = self.lanes.iter().map(|lane| lane.check.received());
                self.share = Some(received.collect());
            }
        }
    }

    fn handle_skip(&mut self, _id: ConnectionId, bytes: u64) {
        self.skipped += bytes;
    }

    fn handle_end(&mut self, id: ConnectionId, _now: Moment, why: &Failure, _: &mut Wishes) {
        if let Some(index) = self.lane_of.find(id)
            && !std::mem::replace(&mut self.lanes[index].done, true)
        {
            self.failures.push(why.to_string());
        }
    }

    fn is_finished(&self) -> bool {
        self.lanes.iter().all(|lane| lane.done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{FLOOD_LINE, FloodSource};
    use crate::engine::simulation::Simulation;

    fn flood(lines: usize) -> Vec<u8> {
        let (mut source, mut bytes) = (FloodSource::default(), Vec::new());
        (0..lines).for_each(|_| source.write_line(&mut bytes));
        FloodSource::write_end(&mut bytes);
        String::from_utf8(bytes).unwrap().replace('\n', "\r\n").into_bytes()
    }

    #[test]
    fn a_flood_ends_with_its_last_line_and_is_whole() {
        let answer = |_: &[u8]| flood(100).chunks(1000).map(<[u8]>::to_vec).collect();
        let server = Simulation { answer: Box::new(answer), ..Simulation::echoing() };
        let mut load = Flooding::new(&[ConnectionId(0), ConnectionId(1)], 100);
        server.run(&mut load, Duration::from_secs(9));
        assert!(load.is_finished());
        assert!(load.damage().is_none());
        assert_eq!(load.received(), 2 * 101 * FLOOD_LINE as u64);
    }

    #[test]
    fn fairness_is_taken_when_the_first_is_over() {
        let mut load = Flooding::new(&[ConnectionId(0), ConnectionId(1)], 100);
        let mut wishes = Wishes::default();
        load.handle_start(Duration::ZERO, &mut wishes);
        let bytes = flood(100);
        load.handle_output(ConnectionId(1), Duration::ZERO, &bytes[..50 * FLOOD_LINE], &mut wishes);
        load.handle_output(ConnectionId(0), Duration::ZERO, &bytes, &mut wishes);
        load.handle_output(ConnectionId(1), Duration::ZERO, &bytes[50 * FLOOD_LINE..], &mut wishes);
        assert!(load.is_finished());
        assert!((load.fairness().unwrap() - 50.0 / 101.0).abs() < 1e-9);
    }

    #[test]
    fn a_connection_that_ends_early_leaves_lost_bytes() {
        let mut load = Flooding::new(&[ConnectionId(0)], 100);
        let mut wishes = Wishes::default();
        load.handle_output(ConnectionId(0), Duration::ZERO, &flood(100)[..1280], &mut wishes);
        load.handle_end(ConnectionId(0), Duration::ZERO, &Failure::Cut, &mut wishes);
        assert!(load.is_finished());
        assert_eq!(load.damage().lost, 90 * 128);
        assert_eq!(load.failures.len(), 1);
    }
}
