//! What workers tell the control plane.

use std::sync::{Mutex, PoisonError};

use hither_core::SessionId;
use tokio::sync::{Notify, broadcast};

use crate::sessions::SessionEvent;

/// Events that a receiver may fall behind before it misses some.
const EVENTS: usize = 256;

/// The way from the workers to the control plane: events for whoever listens, and sessions that
/// nobody needs any more. Each session is named at most once, so the list is bounded by their number.
#[derive(Debug)]
pub(crate) struct Upward {
    events: broadcast::Sender<SessionEvent>,
    given_up: Mutex<Vec<SessionId>>,
    pub(super) notify: Notify,
}

impl Upward {
    pub(crate) fn new() -> Self {
        Self {
            events: broadcast::channel(EVENTS).0,
            given_up: Mutex::new(Vec::new()),
            notify: Notify::new(),
        }
    }

    /// Tells everybody who listens; nobody may.
    pub(crate) fn publish(&self, event: SessionEvent) {
        let _listeners = self.events.send(event).unwrap_or(0);
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<SessionEvent> {
        self.events.subscribe()
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
