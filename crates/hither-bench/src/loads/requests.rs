//! The HTTP API: sessions made, listed and deleted, and the health check.

use std::time::Duration;

use serde::Deserialize;

use crate::engine::{ConnectionId, Failure, Load, Wishes};
use crate::stats::{Latencies, Moment};
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

    /// The names of median and 99th percentile in the report.
    pub(crate) const fn metrics(self) -> [&'static str; 2] {
        match self {
            Self::Create => ["create p50", "create p99"],
            Self::List => ["list p50", "list p99"],
            Self::Health => ["health p50", "health p99"],
            Self::Delete => ["delete p50", "delete p99"],
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

/// Some connections that ask one thing after the other, each when the last was answered.
#[derive(Debug)]
pub(crate) struct Requests {
    request: Request,
    lanes: Vec<Lane>,
    length: Duration,
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
    received: Vec<u8>,
    session: Option<String>,
    idle: bool,
}

impl Requests {
    /// Asks on `connections` connections for `length`.
    pub(crate) fn new(request: Request, connections: usize, length: Duration) -> Self {
        Self {
            request,
            lanes: (0..connections).map(|_| Lane::default()).collect(),
            length,
            start: Moment::ZERO,
            end: Moment::MAX,
            over: false,
            latencies: std::array::from_fn(|_| Latencies::default()),
            failures: Vec::new(),
        }
    }

    /// For how long it asked.
    pub(crate) const fn length(&self) -> Duration {
        self.length
    }

    /// The next question of a connection. A round that has begun is finished, so that no session
    /// is left behind.
    fn ask(&mut self, id: ConnectionId, now: Moment, wishes: &mut Wishes) {
        let Some(lane) = self.lanes.get_mut(id.0) else { return };
        if lane.step == 0 && now >= self.end {
            lane.idle = true;
            return;
        }
        lane.asked = now;
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
        lane.step = (lane.step + 1) % RequestKind::ALL.len();
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
        self.end = now + self.length;
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

    fn handle_timer(&mut self, now: Moment, _: &mut Wishes) {
        self.over |= now >= self.end + super::GRACE;
    }

    fn poll_timer(&self) -> Option<Moment> {
        Some(self.end.saturating_add(super::GRACE))
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
        let request = Request { host: "h".to_owned(), authorization: None };
        let mut load = Requests::new(request, 2, Duration::from_millis(100));
        server(health).run(&mut load, Duration::from_secs(60));
        assert!(load.is_finished());
        load
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
