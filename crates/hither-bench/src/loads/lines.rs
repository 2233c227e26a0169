//! The plan's load: one command line a second on each connection.

use std::time::Duration;

use super::lane_of::LaneOf;
use super::{GRACE, Timeline};
use crate::content::{Damage, LineCheck};
use crate::engine::{ConnectionId, Failure, Load, Wishes};
use crate::stats::{Latencies, MessageWaits, Moment, OpenLoop};

/// Sends command lines by timetable and times their output; takes the old metric beside it.
#[derive(Debug)]
pub(crate) struct Lines {
    lanes: Vec<Lane>,
    lane_of: LaneOf,
    rate: f64,
    length: Duration,
    schedule: OpenLoop,
    next: u64,
    end: Moment,
    over: bool,
    /// From when a line was due to its output.
    pub(crate) latencies: Latencies,
    /// The same by time.
    pub(crate) timeline: Timeline,
    /// Connections that ended, and why.
    pub(crate) failures: Vec<String>,
}

#[derive(Debug)]
struct Lane {
    id: ConnectionId,
    check: LineCheck,
    waits: MessageWaits,
    broken: bool,
}

impl Lines {
    /// Sends `rate` lines a second on each of `connections` for `length`.
    pub(crate) fn new(connections: &[ConnectionId], rate: f64, length: Duration) -> Self {
        let lane = |id: &ConnectionId| Lane {
            id: *id,
            check: LineCheck::default(),
            waits: MessageWaits::default(),
            broken: false,
        };
        Self {
            lanes: connections.iter().map(lane).collect(),
            lane_of: LaneOf::new(connections),
            rate,
            length,
            schedule: OpenLoop::new(Moment::ZERO, 1, 0.0, Duration::ZERO),
            next: 0,
            end: Moment::MAX,
            over: false,
            latencies: Latencies::default(),
            timeline: Timeline::new(Moment::ZERO, Duration::from_millis(500)),
            failures: Vec::new(),
        }
    }

    /// The old metric over all connections.
    pub(crate) fn waits(&self) -> MessageWaits {
        let mut sum = MessageWaits::default();
        self.lanes.iter().for_each(|lane| sum.merge(&lane.waits));
        sum
    }

    /// Lines sent.
    pub(crate) fn sent(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.check.sent()).sum()
    }

    /// What went wrong with the lines; those without output by now are lost.
    pub(crate) fn damage(&self) -> Damage {
        let mut sum = Damage::default();
        for lane in &self.lanes {
            sum += lane.check.clone().finish();
        }
        sum
    }
}

impl Load for Lines {
    fn handle_start(&mut self, now: Moment, wishes: &mut Wishes) {
        self.end = now + self.length;
        self.timeline = Timeline::new(now, Duration::from_millis(500));
        self.schedule = OpenLoop::new(now, self.lanes.len() as u64, self.rate, self.length);
        self.handle_timer(now, wishes);
    }

    fn handle_output(&mut self, id: ConnectionId, now: Moment, bytes: &[u8], _: &mut Wishes) {
        let Some(index) = self.lane_of.find(id) else { return };
        let (latencies, timeline) = (&mut self.latencies, &mut self.timeline);
        let lane = &mut self.lanes[index];
        lane.waits.handle_message(now);
        lane.check.handle_output(bytes, |due| {
            latencies.record(due, now);
            timeline.add(now, now.saturating_sub(due).as_secs_f64());
        });
    }

    fn handle_end(&mut self, id: ConnectionId, _: Moment, why: &Failure, _: &mut Wishes) {
        if let Some(index) = self.lane_of.find(id) {
            self.lanes[index].broken = true;
            self.failures.push(why.to_string());
        }
    }

    fn handle_timer(&mut self, now: Moment, wishes: &mut Wishes) {
        while let Some((due, lane)) = self.schedule.due(self.next).filter(|(due, _)| *due <= now) {
            self.next += 1;
            let lane = &mut self.lanes[usize::try_from(lane).expect("a lane is an index")];
            if !lane.broken {
                let line = lane.check.send_line(due);
                wishes.type_input(lane.id, line.as_bytes());
            }
        }
        self.over |= now >= self.end + GRACE;
        let quiet = self.lanes.iter().all(|lane| lane.broken || lane.check.under_way() == 0);
        self.over |= now >= self.end && quiet;
    }

    fn poll_timer(&self) -> Option<Moment> {
        let due = self.schedule.due(self.next).map(|(due, _)| due);
        let quiet = self.lanes.iter().all(|lane| lane.broken || lane.check.under_way() == 0);
        Some(due.unwrap_or(if quiet { self.end } else { self.end + GRACE }))
    }

    fn is_finished(&self) -> bool {
        self.over || self.lanes.iter().all(|lane| lane.broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::simulation::Simulation;
    use crate::stats::float;

    /// The toy server of the plan's 222 ms: it answers each line at once, in 4.49 messages.
    fn toy() -> Simulation {
        let answered = std::cell::Cell::new(0_u64);
        let answer = move |line: &[u8]| {
            let number = answered.replace(answered.get() + 1);
            let text = String::from_utf8_lossy(line);
            let output = text.trim().strip_prefix("echo ").unwrap_or_default();
            let mut messages = vec![line.to_vec(), b"\r\n".to_vec()];
            messages.push(format!("{output}\r\n").into_bytes());
            messages.push(b"$".to_vec());
            if number * 49 % 100 < 49 {
                messages.push(b" ".to_vec());
            }
            messages
        };
        Simulation { answer: Box::new(answer), ..Simulation::echoing() }
    }

    #[test]
    fn a_server_without_latency_scores_222_ms_in_the_old_metric_and_nothing_in_the_true_one() {
        let ids: Vec<_> = (0..100).map(ConnectionId).collect();
        let mut load = Lines::new(&ids, 1.0, Duration::from_secs(1000));
        toy().run(&mut load, Duration::from_secs(2000));
        assert!(load.is_finished() && load.damage().is_none());
        let waits = load.waits();
        assert!((float(waits.messages()) / float(load.sent()) - 4.49).abs() < 0.01);
        let old = waits.mean().unwrap().as_secs_f64() * 1e3;
        assert!((old - 222.7).abs() < 0.5, "the old metric says {old} ms");
        assert_eq!(waits.max(), Duration::from_secs(1));
        assert!(load.latencies.summary().max <= Duration::from_nanos(1));
    }

    #[test]
    fn a_late_sender_does_not_shift_the_due_times() {
        let mut load = Lines::new(&[ConnectionId(0)], 1.0, Duration::from_secs(3));
        let (mut wishes, late) = (Wishes::default(), Duration::from_secs(3));
        load.handle_start(Duration::ZERO, &mut wishes);
        load.handle_timer(late, &mut wishes);
        let output = b"hb00000000\r\nhb00000001\r\nhb00000002\r\n";
        load.handle_output(ConnectionId(0), late, output, &mut wishes);
        let summary = load.latencies.summary();
        assert!(summary.p50 >= Duration::from_millis(1990), "{summary:?}");
    }

    #[test]
    fn lines_without_output_are_lost_and_the_load_ends() {
        let server = Simulation { answer: Box::new(|line| vec![line.to_vec()]), ..toy() };
        let mut load = Lines::new(&[ConnectionId(0)], 1.0, Duration::from_secs(3));
        let end = server.run(&mut load, Duration::from_secs(60));
        assert_eq!(load.damage(), Damage { lost: 3, ..Damage::default() });
        assert_eq!(end, Duration::from_secs(3) + GRACE);
    }
}
