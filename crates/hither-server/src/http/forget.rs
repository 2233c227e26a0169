//! What was stored about a session goes with it.

use std::collections::BTreeSet;
use std::time::Duration;

use hither_core::SessionId;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::app::App;
use crate::sessions::{NextEvent, SessionEvent};

/// How often share links that have expired are looked for.
const EXPIRED_EVERY: Duration = Duration::from_secs(60);

impl App {
    /// Forgets grants and share links of sessions that are gone, for as long as the gateway runs.
    ///
    /// Gone is what this gateway has closed and nothing else: a session that it does not know may
    /// be another gateway's with the same state directory, or one that could not be taken over this
    /// time.
    pub async fn forget_gone(&self) {
        let mut events = self.all_sessions().events(None);
        let mut now_and_then = interval_at(Instant::now() + EXPIRED_EVERY, EXPIRED_EVERY);
        now_and_then.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Those that could not be forgotten, as when the store was busy: the next time.
        let mut gone: BTreeSet<SessionId> = BTreeSet::new();
        loop {
            tokio::select! {
                event = events.next() => match closed(&event) {
                    Some(id) => drop(gone.insert(id)),
                    None => continue,
                },
                _ = now_and_then.tick() => {}
            }
            match self.auth.forget(gone.clone()).await {
                Ok(()) => gone.clear(),
                Err(error) => tracing::debug!(%error, "forgetting what was stored"),
            }
        }
    }
}

/// The session that an event says is gone.
fn closed(event: &NextEvent) -> Option<SessionId> {
    let NextEvent::Happened(happened) = event else { return None };
    if let SessionEvent::Closed(id) = happened.event { Some(id) } else { None }
}
