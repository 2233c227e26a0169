//! What a gateway does besides serving its listeners.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::Leave;
use super::signals::{Asked, Signals};
use super::upgrading::Upgrading;
use crate::directory::Directory;
use crate::http::App;

/// How often the store is looked at for what another program has written.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often is stored when tokens and logins were last used.
const FLUSH_EVERY: Duration = Duration::from_secs(60);

/// What a gateway does besides serving its listeners.
pub(super) struct Duties<'a> {
    pub(super) app: &'a App,
    pub(super) directory: &'a Directory,
}

impl Duties<'_> {
    /// Does it until there is a reason to leave.
    pub(super) async fn run(&self, signals: &mut Signals, upgrading: &mut Upgrading) -> Leave {
        let mut running = pin!(self.directory.run());
        let mut storing = pin!(self.keep_store());
        let mut watching = pin!(self.app.watch_passes());
        let mut forgetting = pin!(self.app.forget_gone());
        loop {
            tokio::select! {
                () = &mut running => return Leave::Stop,
                () = &mut storing => return Leave::Stop,
                () = &mut watching => return Leave::Stop,
                () = &mut forgetting => return Leave::Stop,
                successor = upgrading.next() => return Leave::Upgrade(successor),
                asked = signals.next() => match asked {
                    Asked::Stop => return Leave::Stop,
                    Asked::Upgrade => upgrading.begin_again(),
                },
            }
        }
    }

    /// Keeps the store and its image in memory the same: what another program has written is
    /// looked for once a second, in case it did not say so.
    async fn keep_store(&self) {
        let auth = &self.app.auth;
        let mut changes = auth.login_changes();
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut flushes = interval_at(Instant::now() + FLUSH_EVERY, FLUSH_EVERY);
        loop {
            let kept = tokio::select! {
                _ = changes.changed() => auth.flush().await,
                _ = flushes.tick() => auth.flush().await,
                _ = looks.tick() => auth.refresh().await,
            };
            if let Err(error) = kept {
                tracing::warn!(%error, "keeping the store");
            }
        }
    }
}
