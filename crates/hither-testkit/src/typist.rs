//! A client that types numbered records and holds the server to writing each exactly once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::frame::{self, Hello, ServerFrame};
use crate::place::Place;
use crate::random::Random;
use crate::seqsink::{END, input_record, parse_log};
use crate::viewer::{Connection, Lost};

/// Who types, and where.
#[derive(Clone, Debug)]
pub struct Typist {
    /// A session that runs `testkit seqsink`.
    pub session: String,
    /// Its client id.
    pub client: u64,
    /// It gives at least so many numbers.
    pub least: u64,
    /// How long it may hear nothing while it waits for an ack.
    pub patience: Duration,
}

/// What a typist knows at its end.
#[derive(Clone, Debug)]
pub struct Typed {
    /// Numbers that were given.
    pub given: u64,
    /// Numbers whose fate was unknown when a gateway died: sent, and not acknowledged.
    pub in_doubt: Vec<u64>,
    /// What went wrong, in words.
    pub violation: Option<String>,
}

/// What the log of the sink says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sunk {
    /// Records that arrived.
    pub arrived: u64,
    /// Records in doubt that did not arrive.
    pub lost_in_doubt: u64,
}

/// Most records that are under way at once.
const BURST: u64 = 16;
const RETRY: Duration = Duration::from_millis(20);

impl Typist {
    /// Types until `stop` is set and everything given has been accepted; then ends the sink.
    #[must_use]
    pub fn run(self, place: &Place, stop: &AtomicBool, random: &mut Random) -> Typed {
        let mut typed = Typed { given: 0, in_doubt: Vec::new(), violation: None };
        let (mut state, mut known) = (State::default(), 0);
        loop {
            let newer = place.newer_than(known, RETRY);
            let found = newer.or_else(|| place.newer_than(known.saturating_sub(1), self.patience));
            let Some((address, version)) = found else {
                typed.violation = Some("no gateway came back".to_owned());
                return typed;
            };
            known = version;
            // It does not watch: nothing but acks matters to it.
            let hello = Hello { client: self.client, features: vec!["raw"], ..Hello::default() };
            let opened = Connection::open(address, &self.session, &hello, self.patience);
            let end = opened
                .map_err(Stop::Lost)
                .and_then(|mut connection| self.type_on(&mut connection, &mut state, stop, random));
            typed.given = state.given;
            match end {
                Ok(()) => return typed,
                Err(Stop::Lost(lost)) if lost.is_transport() => {
                    typed.in_doubt.extend(state.accepted + 1..=state.given);
                }
                Err(Stop::Lost(lost)) => typed.violation = Some(lost.to_string()),
                Err(Stop::Violation(text)) => typed.violation = Some(text),
            }
            if typed.violation.is_some() {
                return typed;
            }
        }
    }

    fn type_on(
        &self,
        connection: &mut Connection,
        state: &mut State,
        stop: &AtomicBool,
        random: &mut Random,
    ) -> Result<(), Stop> {
        let mut sent = None;
        loop {
            let frame = connection.next_frame().map_err(Stop::Lost)?;
            let heard = match frame {
                ServerFrame::Welcome(welcome) => {
                    let read = state.ends > 0 && welcome.accepted == state.last();
                    state.ends += u64::from(read && welcome.state == "running");
                    welcome.accepted
                }
                ServerFrame::InputAck { accepted, .. } => accepted,
                // Its exit says that it has read everything before.
                ServerFrame::Exit(_) if state.ends > 0 => return Ok(()),
                ServerFrame::Exit(_) => return Err(Stop::Violation("the sink ended".to_owned())),
                _ => continue,
            };
            if heard < state.accepted || heard > state.last() {
                let text = format!("accepted {heard} of {state:?}");
                return Err(Stop::Violation(text));
            }
            state.accepted = heard;
            let first = sent.unwrap_or(heard) + 1;
            if heard == state.given {
                if stop.load(Ordering::SeqCst) && state.given >= self.least {
                    state.ends = state.ends.max(1);
                } else {
                    state.given += random.below(BURST) + 1;
                }
            }
            for number in first..=state.last() {
                let input = state.input(self.client, number);
                connection.send(frame::input(number, &input)).map_err(Stop::Lost)?;
            }
            sent = Some(state.last());
        }
    }
}

/// What a typist keeps across connections.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// Numbers that carry a record.
    given: u64,
    accepted: u64,
    /// Numbers behind those that end the sink. One can be lost in doubt, so there may be several.
    ends: u64,
}

impl State {
    const fn last(&self) -> u64 {
        self.given + self.ends
    }

    fn input(&self, client: u64, number: u64) -> Vec<u8> {
        if number > self.given { END.to_vec() } else { input_record(client, number) }
    }
}

enum Stop {
    Violation(String),
    Lost(Lost),
}

impl Typed {
    /// Compares what arrived at the sink with what was given: in order, none twice, and none
    /// missing but those in doubt.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self, client: u64, log: &[u8]) -> Result<Sunk, String> {
        let records = parse_log(log).map_err(|at| format!("damaged input at byte {at}"))?;
        let mut times = BTreeMap::new();
        let mut last = 0;
        for (found, number) in records {
            if found != client || number <= last || number > self.given {
                return Err(format!("record {number} of client {found:x} behind {last}"));
            }
            last = number;
            times.insert(number, ());
        }
        let missing: Vec<u64> = (1..=self.given).filter(|n| !times.contains_key(n)).collect();
        match missing.iter().find(|&number| !self.in_doubt.contains(number)) {
            Some(number) => Err(format!("record {number} was acknowledged and did not arrive")),
            None => Ok(Sunk { arrived: times.len() as u64, lost_in_doubt: missing.len() as u64 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(numbers: &[u64]) -> Vec<u8> {
        numbers.iter().flat_map(|&number| input_record(5, number)).collect()
    }

    #[test]
    fn doubled_lost_and_disordered_input_is_found() {
        let typed = Typed { given: 4, in_doubt: vec![3], violation: None };
        let all = Sunk { arrived: 4, lost_in_doubt: 0 };
        assert_eq!(typed.check(5, &log(&[1, 2, 3, 4])), Ok(all));
        let lost = Sunk { arrived: 3, lost_in_doubt: 1 };
        assert_eq!(typed.check(5, &log(&[1, 2, 4])), Ok(lost));
        for wrong in [&[1, 2, 2, 3, 4][..], &[2, 1, 3, 4], &[1, 3, 4], &[1, 2, 3], &[1, 2, 3, 4, 5]]
        {
            assert!(typed.check(5, &log(wrong)).is_err(), "{wrong:?}");
        }
        assert!(typed.check(6, &log(&[1, 2, 3, 4])).is_err());
        assert!(typed.check(5, &log(&[1, 2, 3, 4])[1..]).is_err());
    }
}
