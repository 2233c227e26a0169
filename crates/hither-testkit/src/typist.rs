//! A client that types numbered records and holds the server to writing each exactly once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::frame::{self, Hello, ServerFrame};
use crate::place::Place;
use crate::random::Random;
use crate::seqsink::{input_record, parse_log};
use crate::viewer::{Connection, Lost};

/// Who types, and where.
#[derive(Clone, Debug)]
pub struct Typist {
    /// A session that runs `testkit seqsink`.
    pub session: String,
    /// Its client id.
    pub client: u64,
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
    /// Types until `stop` is set and everything given has been accepted.
    #[must_use]
    pub fn run(self, place: &Place, stop: &AtomicBool, random: &mut Random) -> Typed {
        let mut typed = Typed { given: 0, in_doubt: Vec::new(), violation: None };
        let (mut known, mut accepted) = (0, 0);
        loop {
            let newer = place.newer_than(known, RETRY);
            let found = newer.or_else(|| place.newer_than(known.saturating_sub(1), self.patience));
            let Some((address, version)) = found else {
                typed.violation = Some("no gateway came back".to_owned());
                return typed;
            };
            known = version;
            // It does not watch: without `raw` and a resume offset nothing but acks matters.
            let hello = Hello { client: self.client, features: vec!["raw"], ..Hello::default() };
            let opened = Connection::open(address, &self.session, &hello, self.patience);
            let end = opened.map_err(Stop::Lost).and_then(|mut connection| {
                self.type_on(&mut connection, &mut typed, &mut accepted, stop, random)
            });
            typed.in_doubt.extend(accepted + 1..=typed.given);
            match end {
                Ok(()) => return typed,
                Err(Stop::Lost(lost)) if lost.is_transport() => {}
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
        typed: &mut Typed,
        accepted: &mut u64,
        stop: &AtomicBool,
        random: &mut Random,
    ) -> Result<(), Stop> {
        let mut sent = None;
        loop {
            let frame = connection.next_frame().map_err(Stop::Lost)?;
            let heard = match frame {
                ServerFrame::Welcome(welcome) => Some(welcome.accepted),
                ServerFrame::InputAck { accepted, .. } => Some(accepted),
                ServerFrame::Exit(_) => return Err(Stop::Violation("the sink ended".to_owned())),
                _ => None,
            };
            let Some(heard) = heard else { continue };
            if heard < *accepted || heard > typed.given {
                let text = format!("accepted {heard} of {}, after {accepted}", typed.given);
                return Err(Stop::Violation(text));
            }
            *accepted = heard;
            let first = sent.unwrap_or(heard) + 1;
            if *accepted == typed.given {
                if stop.load(Ordering::SeqCst) {
                    return Ok(());
                }
                typed.given += random.below(BURST) + 1;
            }
            for number in first..=typed.given {
                let record = input_record(self.client, number);
                connection.send(frame::input(number, &record)).map_err(Stop::Lost)?;
            }
            sent = Some(typed.given);
        }
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
