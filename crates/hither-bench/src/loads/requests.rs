//! The HTTP API: sessions made, listed and deleted, and the health check.

use std::time::Duration;

use serde::Deserialize;

use super::Pace;
use crate::engine::{ConnectionId, Failure, Load, Wishes};
use crate::stats::{Latencies, Moment, float};
use crate::wire::{Request, parse_response};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestKind {
    Create,
    List,
    Health,
    Delete,
}

impl RequestKind {
    /// All of them, in the order in which each connection asks.
    pub(crate) const ALL: [Self; 4] = [Self::Create, Self::List, Self::Health, Self::Delete];

    /// The names of average, median and 99th percentile in the report.
    pub(crate) const fn metrics(self) -> [&'static str; 3] {
        match self {
            Self::Create => ["create avg", "create p50", "create p99"],
            Self::List => ["list avg", "list p50", "list p99"],
            Self::Health => ["health avg", "health p50", "health p99"],
            Self::Delete => ["delete avg", "delete p50", "delete p99"],
        }
    }

    /// The name in the report.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::List => "list",
            Self::Health => "health",
            Self::Delete => "delete",
        }
    }
}

/// When there have been enough requests.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After so long, and the end of what each connection has begun.
    Time(Duration),
    /// After so many sessions were made, which stay.
    Made(usize),
}

/// Some connections that ask one thing after the other: each when the last was answered, or by a
/// timetable, where a request's age counts from when it was due.
#[derive(Debug)]
pub(crate) struct Requests {
    request: Request,
    lanes: Vec<Lane>,
    until: Until,
    pace: Pace,
    /// Sessions that are still to be made.
    left: usize,
    start: Moment,
    end: Moment,
    over: bool,
    /// Response times, in the order of [`RequestKind::ALL`].
    pub(crate) latencies: [Latencies; 4],
    /// Answers other than 2xx, and connections that ended.
    pub(crate) failures: Vec<String>,
}

#[derive(Debug, Default)]
struct Lane {
    step: usize,
    asked: Moment,
    /// Requests so far.
    count: u32,
    /// When the next request is due, while nothing is asked.
    due: Option<Moment>,
    received: Vec<u8>,
    session: Option<String>,
    idle: bool,
}

impl Requests {
    /// Asks on `connections` connections; the rate of an open pace is that of all together.
    pub(crate) fn new(request: Request, connections: usize, pace: Pace, until: Until) -> Self {
        Self {
            request,
            lanes: (0..connections).map(|_| Lane::default()).collect(),
            left: match until {
                Until::Made(count) => count,
                Until::Time(_) => usize::MAX,
            },
            until,
            pace,
            start: Moment::ZERO,
            end: Moment::MAX,
            over: false,
            latencies: std::array::from_fn(|_| Latencies::default()),
            failures: Vec::new(),
        }
    }

    /// The questions of each connection, again and again.
    const fn steps(&self) -> usize {
        match self.until {
            Until::Time(_) => RequestKind::ALL.len(),
            Until::Made(_) => 1,
        }
    }

    /// When a connection's next question is due: the connections take turns.
    fn due(&self, lane: usize, now: Moment) -> Moment {
        let Pace::Open(rate) = self.pace else { return now };
        let turn = f64::from(self.lanes[lane].count) * float(self.lanes.len() as u64);
        self.start + Duration::from_secs_f64((turn + float(lane as u64)) / rate)
    }

    /// The next question of a connection, if it is due. A round that has begun is finished, so that
    /// no session is left behind.
    fn ask(&mut self, id: ConnectionId, now: Moment, wishes: &mut Wishes) {
        if id.0 >= self.lanes.len() {
            return;
        }
        let due = self.due(id.0, now);
        let lane = &mut self.lanes[id.0];
        if lane.step == 0 && (due >= self.end || self.left == 0) {
            lane.idle = true;
            return;
        }
        lane.due = (due > now).then_some(due);
        if lane.due.is_some() {
            return;
        }
        lane.asked = due;
        lane.count += 1;
        self.left -= usize::from(lane.step == 0);
        let text = match (RequestKind::ALL[lane.step], &lane.session) {
            (RequestKind::Create, _) => self.request.plain("POST", "/api/sessions", "{}"),
            (RequestKind::List, _) => self.request.plain("GET", "/api/sessions", ""),
            (RequestKind::Delete, Some(session)) => {
                self.request.plain("DELETE", &format!("/api/sessions/{session}"), "")
            }
            (RequestKind::Health | RequestKind::Delete, _) => {
                self.request.plain("GET", "/health", "")
            }
        };
        wishes.type_input(id, text.as_bytes());
    }

    fn answered(&mut self, id: ConnectionId, now: Moment, wishes: &mut Wishes) -> Option<()> {
        let steps = self.steps();
        let lane = self.lanes.get_mut(id.0)?;
        let (status, session, consumed) = {
            let response = parse_response(&lane.received).ok()??;
            (response.status, created_session(response.body), response.consumed)
        };
        lane.received.drain(..consumed);
        let kind = RequestKind::ALL[lane.step];
        if (200..300).contains(&status) {
            self.latencies[lane.step].record(lane.asked, now);
        } else {
            self.failures.push(format!("{}: status {status}", kind.name()));
        }
        if kind == RequestKind::Create {
            lane.session = session;
        }
        lane.step = (lane.step + 1) % steps;
        self.ask(id, now, wishes);
        Some(())
    }
}

fn created_session(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Session {
        id: String,
    }
    let start = body.iter().position(|byte| *byte == b'{')?;
    let mut sessions = serde_json::Deserializer::from_slice(&body[start..]).into_iter::<Session>();
    Some(sessions.next()?.ok()?.id)
}

impl Load for Requests {
    fn handle_start(&mut self, now: Moment, wishes: &mut Wishes) {
        self.start = now;
        self.end = match self.until {
            Until::Time(length) => now + length,
            Until::Made(_) => Moment::MAX,
        };
        self.lanes.iter().for_each(|_| wishes.open());
    }

    fn handle_open(&mut self, id: ConnectionId, now: Moment, wishes: &mut Wishes) {
        self.ask(id, now, wishes);
    }

    fn handle_output(&mut self, id: ConnectionId, now: Moment, bytes: &[u8], wishes: &mut Wishes) {
        if let Some(lane) = self.lanes.get_mut(id.0) {
            lane.received.extend_from_slice(bytes);
        }
        while self.answered(id, now, wishes).is_some() {}
    }

    fn handle_end(&mut self, id: ConnectionId, _: Moment, why: &Failure, _: &mut Wishes) {
        if let Some(lane) = self.lanes.get_mut(id.0) {
            lane.idle = true;
        }
        self.failures.push(why.to_string());
    }

    fn handle_timer(&mut self, now: Moment, wishes: &mut Wishes) {
        self.over |= now >= self.end.saturating_add(super::GRACE);
        for lane in 0..self.lanes.len() {
            if self.lanes[lane].due.is_some_and(|due| due <= now) {
                self.ask(ConnectionId(lane), now, wishes);
            }
        }
    }

    fn poll_timer(&self) -> Option<Moment> {
        let next = self.lanes.iter().filter_map(|lane| lane.due).min();
        Some(next.unwrap_or(Moment::MAX).min(self.end.saturating_add(super::GRACE)))
    }

    fn is_finished(&self) -> bool {
        self.over || self.lanes.iter().all(|lane| lane.idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::simulation::Simulation;

    fn server(health: &'static str) -> Simulation {
        let answer = move |request: &[u8]| {
            let text = String::from_utf8_lossy(request).into_owned();
            let (status, body) = match text.split(" HTTP").next().unwrap_or_default() {
                "POST /api/sessions" => ("201 Created", r#"{"id":"s1"}"#),
                "GET /api/sessions" => ("200 OK", "[]"),
                "GET /health" => (health, ""),
                "DELETE /api/sessions/s1" => ("204 No Content", ""),
                other => panic!("{other}"),
            };
            let length = body.len();
            vec![
                format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes(),
            ]
        };
        Simulation {
            answers_at: Box::new(|now| now + Duration::from_millis(1)),
            answer: Box::new(answer),
            ..Simulation::echoing()
        }
    }

    fn ask(health: &'static str) -> Requests {
        let request = Request { is_tls: false, host: "h".to_owned(), authorization: None };
        let until = Until::Time(Duration::from_millis(100));
        let mut load = Requests::new(request, 2, Pace::Closed, until);
        server(health).run(&mut load, Duration::from_secs(60));
        assert!(load.is_finished());
        load
    }

    #[test]
    fn a_timetable_is_kept_and_what_is_late_counts_from_when_it_was_due() {
        for (answers_ms, age_ms) in [(1, 1..=1), (30, 30..=400)] {
            let request = Request { is_tls: false, host: "h".to_owned(), authorization: None };
            let until = Until::Time(Duration::from_millis(400));
            let mut load = Requests::new(request, 2, Pace::Open(100.0), until);
            let mut server = server("200 OK");
            server.answers_at = Box::new(move |now| now + Duration::from_millis(answers_ms));
            server.run(&mut load, Duration::from_secs(60));
            assert!(load.is_finished() && load.failures.is_empty(), "{:?}", load.failures);
            let count: u64 = load.latencies.iter().map(Latencies::len).sum();
            assert_eq!(count, 40, "as many as were due");
            let max = load.latencies[3].summary().max.as_millis();
            assert!(age_ms.contains(&max), "{max} ms");
        }
    }

    #[test]
    fn so_many_sessions_are_made_and_stay() {
        let request = Request { is_tls: false, host: "h".to_owned(), authorization: None };
        let mut load = Requests::new(request, 3, Pace::Closed, Until::Made(10));
        server("200 OK").run(&mut load, Duration::from_secs(60));
        assert!(load.is_finished() && load.failures.is_empty(), "{:?}", load.failures);
        assert_eq!(load.latencies.each_ref().map(Latencies::len), [10, 0, 0, 0]);
    }

    #[test]
    fn only_2xx_is_success() {
        let load = ask("200 OK");
        assert!(load.failures.is_empty(), "{:?}", load.failures);
        assert!(load.latencies.iter().all(|kind| kind.len() == 50));
        let load = ask("404 Not Found");
        assert_eq!(load.failures.len(), 50);
        assert_eq!(load.latencies[2].len(), 0, "a health check that is missing is no success");
    }
}
