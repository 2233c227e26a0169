//! What has happened to sessions lately, for any number of readers, each with a cursor of its own.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use super::SessionEvent;

/// Events of one gateway: a bounded log, of which the oldest are forgotten first.
#[derive(Debug)]
pub struct EventLog {
    /// Tells the events of this log from those of another gateway.
    epoch: u64,
    events_max: usize,
    state: Mutex<State>,
    /// Number of the next event.
    next: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Happened>,
    next: u64,
}

/// Names an event; texts of it are made and read with `Display` and `FromStr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventId {
    epoch: u64,
    number: u64,
}

/// A text that names no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event id must be two numbers with a `-` between")]
pub struct InvalidEventId;

/// An event with its circumstances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// Its name.
    pub id: EventId,
    /// When it happened.
    pub at: SystemTime,
    /// What happened.
    pub event: SessionEvent,
}

/// What a reader gets next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextEvent {
    /// The next event.
    Happened(Box<Happened>),
    /// So many events are forgotten; `None` when it cannot be known, as after another gateway.
    Missed(Option<u64>),
}

/// A reader's place in the log.
#[derive(Debug)]
pub struct EventCursor {
    log: Arc<EventLog>,
    at: u64,
    /// The reader named an event that this log never had.
    astray: bool,
    next: watch::Receiver<u64>,
}

impl EventLog {
    /// A log that remembers so many events.
    #[must_use]
    pub fn new(events_max: usize) -> Arc<Self> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Arc::new(Self {
            epoch: u64::try_from(since_1970.as_millis()).unwrap_or(0),
            events_max,
            state: Mutex::default(),
            next: watch::Sender::new(0),
        })
    }

    /// Adds an event and wakes the readers.
    pub fn publish(&self, event: SessionEvent) {
        let mut state = self.state();
        let id = EventId { epoch: self.epoch, number: state.next };
        if state.events.len() == self.events_max {
            state.events.pop_front();
        }
        state.events.push_back(Happened { id, at: SystemTime::now(), event });
        state.next += 1;
        self.next.send_replace(state.next);
    }

    /// A place behind this event, or, without one, behind all of them.
    #[must_use]
    pub fn read_behind(self: &Arc<Self>, last: Option<EventId>) -> EventCursor {
        let next = self.next.subscribe();
        let newest = self.state().next;
        let known = last.filter(|id| id.epoch == self.epoch && id.number < newest);
        EventCursor {
            at: known.map_or(newest, |id| id.number + 1),
            astray: last.is_some() && known.is_none(),
            log: Arc::clone(self),
            next,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventCursor {
    /// Waits for the next event. Dropping the future loses nothing.
    pub async fn next(&mut self) -> NextEvent {
        loop {
            // Marked as seen before the log is read: what comes later wakes again.
            self.next.borrow_and_update();
            if let Some(next) = self.poll() {
                return next;
            }
            // It cannot fail: the log with its sender is kept alive by this cursor.
            drop(self.next.changed().await);
        }
    }

    fn poll(&mut self) -> Option<NextEvent> {
        if std::mem::take(&mut self.astray) {
            return Some(NextEvent::Missed(None));
        }
        let state = self.log.state();
        let oldest = state.next - state.events.len() as u64;
        if self.at < oldest {
            let missed = oldest - self.at;
            self.at = oldest;
            return Some(NextEvent::Missed(Some(missed)));
        }
        let index = usize::try_from(self.at - oldest).ok()?;
        let happened = state.events.get(index)?.clone();
        self.at += 1;
        Some(NextEvent::Happened(Box::new(happened)))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.number)
    }
}

impl FromStr for EventId {
    type Err = InvalidEventId;

    fn from_str(text: &str) -> Result<Self, InvalidEventId> {
        let (epoch, number) = text.split_once('-').ok_or(InvalidEventId)?;
        let parse = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| digits).ok_or(InvalidEventId)
        };
        Ok(Self { epoch: parse(epoch)?, number: parse(number)? })
    }
}

#[cfg(test)]
mod tests {
    use hither_core::SessionId;

    use super::*;

    fn event(number: u8) -> SessionEvent {
        SessionEvent::Closed(SessionId::from_random([number; 10]))
    }

    fn drain(cursor: &mut EventCursor) -> Vec<NextEvent> {
        std::iter::from_fn(|| cursor.poll()).collect()
    }

    fn events(all: &[NextEvent]) -> Vec<SessionEvent> {
        all.iter()
            .filter_map(|next| match next {
                NextEvent::Happened(happened) => Some(happened.event.clone()),
                NextEvent::Missed(_) => None,
            })
            .collect()
    }

    #[test]
    fn each_reader_continues_where_it_was() {
        let log = EventLog::new(8);
        let mut early = log.read_behind(None);
        log.publish(event(1));
        log.publish(event(2));
        let seen = drain(&mut early);
        assert_eq!(events(&seen), [event(1), event(2)]);
        let NextEvent::Happened(first) = &seen[0] else { panic!() };
        let text = first.id.to_string();
        let mut resumed = log.read_behind(Some(text.parse().unwrap()));
        assert_eq!(events(&drain(&mut resumed)), [event(2)]);
        assert!(drain(&mut log.read_behind(None)).is_empty());
    }

    #[test]
    fn says_how_much_was_missed() {
        let log = EventLog::new(2);
        let mut slow = log.read_behind(None);
        for number in 0..5 {
            log.publish(event(number));
        }
        let seen = drain(&mut slow);
        assert_eq!(seen[0], NextEvent::Missed(Some(3)));
        assert_eq!(events(&seen), [event(3), event(4)]);
    }

    #[test]
    fn says_when_the_last_event_was_of_another_gateway() {
        let log = EventLog::new(2);
        log.publish(event(1));
        for id in ["1-0", &format!("{}-7", log.epoch)] {
            let mut cursor = log.read_behind(Some(id.parse().unwrap()));
            assert_eq!(drain(&mut cursor), [NextEvent::Missed(None)], "{id}");
        }
    }

    #[test]
    fn only_two_numbers_name_an_event() {
        for text in ["", "1", "-", "1-", "-1", "1-2-3", "+1-2", "a-b", "99999999999999999999-1"] {
            assert_eq!(text.parse::<EventId>(), Err(InvalidEventId), "{text:?}");
        }
    }
}
