//! What workers tell the control plane.

use std::sync::{Arc, Mutex, PoisonError};

use hither_core::SessionId;
use tokio::sync::Notify;

use crate::sessions::{EventCursor, EventId, EventLog, SessionEvent};

/// Events that are remembered for those who read late or come back.
const EVENTS_MAX: usize = 1024;

/// The way from the workers to the control plane: events for whoever listens, and sessions that
/// nobody needs any more. Each session is named at most once, so the list is bounded by their number.
#[derive(Debug)]
pub(crate) struct Upward {
    events: Arc<EventLog>,
    given_up: Mutex<Vec<SessionId>>,
    pub(super) notify: Notify,
}

impl Upward {
    pub(crate) fn new() -> Self {
        Self {
            events: EventLog::new(EVENTS_MAX),
            given_up: Mutex::new(Vec::new()),
            notify: Notify::new(),
        }
    }

    /// Tells everybody who listens; nobody may.
    pub(crate) fn publish(&self, event: SessionEvent) {
        self.events.publish(event);
    }

    pub(super) fn events(&self, behind: Option<EventId>) -> EventCursor {
        self.events.read_behind(behind)
    }

    /// A worker has let go of a session; the host is to end it.
    pub(crate) fn close(&self, id: SessionId) {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        self.notify.notify_one();
    }

    pub(super) fn take_given_up(&self) -> Vec<SessionId> {
        std::mem::take(&mut *self.given_up.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
