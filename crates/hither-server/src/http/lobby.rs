//! The lobby: connections that have not shown a good credential yet. Who has to go when there are
//! too many is decided in `hither-auth`; here the one that goes is told.

use std::collections::BTreeMap;
use std::future::pending;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hither_auth::{Guest, LOBBY_MAX, LOBBY_SOURCE_MAX, Lobby, Mode, Source};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::app::App;
use super::wire::Stream;
use crate::metrics::{AUTHENTICATION_TIME, UNAUTHENTICATED_CONNECTIONS};

/// Time for a connection to show a good credential. Then it ends with the request that it is busy
/// with.
pub(super) const AUTHENTICATION_DEADLINE: Duration = Duration::from_secs(10);

/// Everybody who waits.
#[derive(Debug)]
pub(crate) struct Waiting(Mutex<Room>);

#[derive(Debug)]
struct Room {
    lobby: Lobby,
    cuts: BTreeMap<Guest, Arc<Notify>>,
}

/// A connection's place among those who wait; none for whoever has nothing to prove.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seat(Option<Arc<Taken>>);

#[derive(Debug)]
struct Taken {
    waiting: Arc<Waiting>,
    guest: Guest,
    cut: Arc<Notify>,
    has_left: AtomicBool,
}

impl Waiting {
    /// Room for half of the connections that there may be: the others are left to those who have
    /// proven who they are.
    pub(crate) fn new(connections_max: usize) -> Arc<Self> {
        let max = LOBBY_MAX.min(connections_max / 2).max(1);
        let lobby = Lobby::new(max, LOBBY_SOURCE_MAX.min(max));
        Arc::new(Self(Mutex::new(Room { lobby, cuts: BTreeMap::new() })))
    }

    /// Gives a newcomer a seat, and tells the one who has to go for it, if one has to.
    fn enter(self: &Arc<Self>, source: Option<Source>) -> (Seat, bool) {
        let mut room = self.room();
        let entered = room.lobby.handle_arrival(source);
        let cut = Arc::new(Notify::new());
        room.cuts.insert(entered.guest, Arc::clone(&cut));
        let gone = entered.cut.and_then(|guest| room.cuts.remove(&guest));
        if let Some(gone) = &gone {
            gone.notify_one();
        }
        let waiting = Arc::clone(self);
        let taken = Taken { waiting, guest: entered.guest, cut, has_left: AtomicBool::new(false) };
        (Seat(Some(Arc::new(taken))), gone.is_some())
    }

    // Nothing under this lock is left half done.
    fn room(&self) -> MutexGuard<'_, Room> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// The seat of a connection that was accepted. Whoever comes through the Unix socket was
    /// vouched for by the kernel, and without authentication there is nothing to prove.
    pub(super) fn take(app: &App, stream: &Stream) -> Self {
        if matches!(stream, Stream::Unix(_)) || app.auth.mode() == Mode::Off {
            return Self(None);
        }
        // A proxy brings everybody; it has no share of its own.
        let is_proxy = |peer: &IpAddr| app.config.proxies.trust(*peer);
        let source = stream.peer().filter(|peer| !is_proxy(peer)).and_then(Source::of);
        let (seat, is_crowded) = app.waiting.enter(source);
        if is_crowded {
            tracing::debug!("cut a connection without a credential: too many wait");
            app.metrics.limits.increment(UNAUTHENTICATED_CONNECTIONS);
        }
        seat
    }

    /// A good credential was shown on this connection.
    pub(crate) fn prove(&self) {
        if let Some(taken) = &self.0 {
            taken.leave();
        }
    }

    /// Waits until the connection has to go for another.
    pub(super) async fn cut(&self) {
        match &self.0 {
            Some(taken) => taken.cut.notified().await,
            None => pending().await,
        }
    }

    /// Waits until the connection should have shown a credential and has not.
    pub(super) async fn overdue(&self, app: &App) {
        let Some(taken) = &self.0 else { return pending().await };
        sleep(AUTHENTICATION_DEADLINE).await;
        if taken.has_left.load(Ordering::Relaxed) {
            return pending().await;
        }
        app.metrics.limits.increment(AUTHENTICATION_TIME);
    }
}

impl Taken {
    fn leave(&self) {
        if !self.has_left.swap(true, Ordering::Relaxed) {
            let mut room = self.waiting.room();
            room.lobby.handle_departure(self.guest);
            room.cuts.remove(&self.guest);
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.leave();
    }
}
