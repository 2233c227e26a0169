//! What is asked of the PTY host and heard from it, and a new host when the old one is gone.

use std::collections::{HashMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hither_core::SessionId;
use hither_host::limits::META_BYTES_MAX;
use hither_host::message::{JournalFds, Refusal, SignalTarget, SpawnRequest};
use hither_host::{ClientError, FromHost, HostConnection, ToHost};
use hither_pty::Journal;
use tokio::sync::{Notify, oneshot};

use super::create::Starting;
use super::host_connection::Connection;
use super::host_journals::{duplicate, put_journals};
use super::host_starter::{HostStarter, LinkError, PATIENCE};
use crate::sessions::{CreateError, Resource, SessionError, Signal};
use crate::spare::Spare;
use crate::worker::answer;

type SignalReply = oneshot::Sender<Result<(), SessionError>>;

/// The host as it is known now.
#[derive(Debug)]
pub(super) struct HostLink {
    starter: HostStarter,
    state: Mutex<State>,
    /// One at a time starts a new host.
    restarting: tokio::sync::Mutex<()>,
    /// There is a new connection, or something to tell.
    wanted: Notify,
    /// The connection has broken.
    broken: Notify,
    /// Something of what waited was told, or will never be.
    told: Notify,
    /// For the descriptors of a new session: without them its message would be cut, and the
    /// connection with it.
    spare: Spare,
    /// The workers' journals, for a new host to keep.
    journals: Vec<JournalFds<OwnedFd>>,
}

#[derive(Debug)]
struct State {
    connection: Option<Arc<Connection>>,
    starting: HashMap<u64, Starting>,
    /// Signals that the host was asked to send, in order; it answers in the same.
    signals: HashMap<SessionId, VecDeque<SignalReply>>,
    next_request: u64,
    /// What the host is still to be told, in order. Bounded by the limit of sessions.
    waiting: VecDeque<ToHost>,
}

/// What came from the host.
#[derive(Debug)]
pub(super) enum Heard {
    Message(FromHost),
    /// The host is gone, and with it everything that was asked of it.
    Lost(Vec<Starting>),
}

/// Messages sent before what the host answers is read again: it stops listening to who does not.
const BATCH: usize = 16;
/// Descriptors in one message of the host.
const SESSION_FDS: usize = 3;
/// Signals to one session that the host has not answered.
const SIGNALS_MAX: usize = 64;
/// Pause after a host could not be started.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl HostLink {
    /// A link over a connection that is claimed and has told everything about its sessions.
    pub(super) fn new(
        starter: HostStarter,
        host: HostConnection,
        journals: &[Journal],
    ) -> Result<Self, LinkError> {
        let journals = journals.iter().map(duplicate).collect::<Result<_, _>>()?;
        let connection = Some(Arc::new(Connection::new(host)?));
        let state = State {
            connection,
            starting: HashMap::new(),
            signals: HashMap::new(),
            next_request: 1,
            waiting: VecDeque::new(),
        };
        Ok(Self {
            starter,
            state: Mutex::new(state),
            restarting: tokio::sync::Mutex::new(()),
            wanted: Notify::new(),
            broken: Notify::new(),
            told: Notify::new(),
            spare: Spare::new(SESSION_FDS),
            journals,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is a connection to a host.
    pub(super) fn is_there(&self) -> bool {
        self.state().connection.is_some()
    }

    /// Starts a new host whenever the one there was is gone; never ends.
    pub(super) async fn keep(&self) {
        loop {
            self.broken.notified().await;
            while let Err(error) = self.connection().await {
                tracing::warn!(%error, "starting a PTY host");
                tokio::time::sleep(RETRY_AFTER).await;
            }
        }
    }

    /// Sessions that the host was asked for and has not answered.
    pub(super) fn starting(&self) -> usize {
        self.state().starting.len()
    }

    /// Asks the host for a session. Its answer comes by [`Self::receive`].
    pub(super) async fn spawn(
        &self,
        mut request: SpawnRequest,
        starting: Starting,
    ) -> Result<(), CreateError> {
        self.connection().await.map_err(|error| {
            tracing::error!(%error, "starting a PTY host");
            CreateError::HostUnavailable
        })?;
        if !self.spare.refill() {
            return Err(CreateError::Exhausted(Resource::Files));
        }
        let mut state = self.state();
        request.request = state.next_request;
        state.next_request += 1;
        state.starting.insert(request.request, starting);
        state.waiting.push_back(ToHost::Spawn(Box::new(request)));
        self.wanted.notify_one();
        Ok(())
    }

    /// The request that an answer belongs to.
    pub(super) fn take_starting(&self, request: u64) -> Option<Starting> {
        self.state().starting.remove(&request)
    }

    /// Has the host send a signal to what is in the foreground of a session's terminal. `None`:
    /// there is no host, or it does not keep up.
    pub(super) fn signal(
        &self,
        session: SessionId,
        signal: Signal,
    ) -> Option<oneshot::Receiver<Result<(), SessionError>>> {
        let mut state = self.state();
        state.connection.as_ref()?;
        let pending = state.signals.entry(session).or_default();
        if pending.len() >= SIGNALS_MAX {
            return None;
        }
        let (reply, answer) = oneshot::channel();
        pending.push_back(reply);
        let (signal, target) = (kernel_signal(signal), SignalTarget::Foreground);
        state.waiting.push_back(ToHost::Signal { session, signal, target });
        self.wanted.notify_one();
        Some(answer)
    }

    /// The host has done what it was asked about a session, or says why not.
    pub(super) fn handle_signalled(&self, session: SessionId, result: Result<(), Refusal>) {
        let mut state = self.state();
        let Some(pending) = state.signals.get_mut(&session) else { return };
        let reply = pending.pop_front();
        if pending.is_empty() {
            state.signals.remove(&session);
        }
        if let Some(reply) = reply {
            answer(reply, result.map_err(signal_refused));
        }
    }

    /// Leaves something with a session for the next gateway, in place of what was left before. The
    /// host has it when this returns, unless it has to read first: what a client was told has
    /// happened must not be lost with this gateway.
    pub(super) fn set_meta(&self, session: SessionId, meta: Vec<u8>) {
        let mut state = self.state();
        let Some(connection) = state.connection.clone() else { return };
        if meta.len() > META_BYTES_MAX {
            return;
        }
        let same = |message: &ToHost| matches!(message, ToHost::SetMeta { session: s, .. } if *s == session);
        state.waiting.retain(|message| !same(message));
        state.waiting.push_back(ToHost::SetMeta { session, meta });
        drop(state);
        self.send_some(&connection);
        self.wanted.notify_one();
    }

    /// Has the host end and forget a session. A host that is gone has done so already.
    pub(super) fn close(&self, session: SessionId) {
        let mut state = self.state();
        state.signals.remove(&session);
        let Some(connection) = state.connection.clone() else { return };
        state.waiting.push_back(ToHost::Close { session });
        drop(state);
        self.send_some(&connection);
        self.wanted.notify_one();
    }

    /// Waits until the host has, in its socket at least, the wish to close a session: then no kill of
    /// this gateway brings the session back.
    pub(super) async fn told_to_close(&self, session: SessionId) {
        let is_it =
            |message: &ToHost| matches!(message, ToHost::Close { session: s } if *s == session);
        loop {
            let told = self.told.notified();
            if !self.state().waiting.iter().any(is_it) {
                return;
            }
            told.await;
        }
    }

    /// Tells the host some of what waits. False: nothing waits, or the host has to read first.
    fn send_some(&self, connection: &Connection) -> bool {
        let more = self.send_batch(connection);
        self.told.notify_waiters();
        more
    }

    fn send_batch(&self, connection: &Connection) -> bool {
        for _ in 0..BATCH {
            let Some(message) = self.state().waiting.pop_front() else { return false };
            let sent = connection.host().try_send(&message);
            match sent {
                Ok(true) => {}
                Ok(false) => {
                    self.state().waiting.push_front(message);
                    return false;
                }
                Err(error) => {
                    tracing::error!(%error, "talking to the PTY host");
                    self.refuse(&message, &error);
                }
            }
        }
        true
    }

    fn refuse(&self, message: &ToHost, error: &ClientError) {
        if let ToHost::Spawn(request) = message
            && let Some(starting) = self.take_starting(request.request)
        {
            let error = if matches!(error, ClientError::Wire(_)) {
                CreateError::InvalidCommand
            } else {
                CreateError::HostUnavailable
            };
            answer(starting.reply, Err(error));
        }
    }

    /// Tells the host everything that waits; for the end of a gateway.
    pub(super) fn flush(&self) {
        let connection = self.state().connection.clone();
        let Some(connection) = connection else { return };
        loop {
            let waits = self.send_some(&connection) || !self.state().waiting.is_empty();
            let patience = if waits { PATIENCE } else { Duration::ZERO };
            if connection.host().recv(patience).is_err() || !waits {
                return;
            }
        }
    }

    /// The present connection; a new one, to a new host, when there is none.
    async fn connection(&self) -> Result<Arc<Connection>, LinkError> {
        let _one_at_a_time = self.restarting.lock().await;
        if let Some(connection) = &self.state().connection {
            return Ok(Arc::clone(connection));
        }
        let starter = self.starter.clone();
        let claimed = tokio::task::spawn_blocking(move || {
            let mut host = starter.claim()?;
            while !matches!(host.recv(PATIENCE)?, FromHost::AdoptEnd) {}
            Ok::<_, LinkError>(host)
        });
        let host = claimed.await.map_err(std::io::Error::other)??;
        put_journals(&host, &self.journals)?;
        let connection = Arc::new(Connection::new(host)?);
        self.state().connection = Some(Arc::clone(&connection));
        self.wanted.notify_one();
        tracing::info!("PTY host started");
        Ok(connection)
    }

    /// The next message of the host, after it was told what waits. Dropping the future loses
    /// nothing.
    pub(super) async fn receive(&self) -> Heard {
        loop {
            let connection = self.state().connection.clone();
            let Some(connection) = connection else {
                self.wanted.notified().await;
                continue;
            };
            // Descriptors are given up for a message only, not for every look.
            let received = if connection.has_message() {
                self.spare.lend(|| connection.host().try_recv())
            } else {
                Ok(None)
            };
            match received {
                Ok(Some(message)) => return Heard::Message(message),
                Ok(None) if self.send_some(&connection) => tokio::task::yield_now().await,
                Ok(None) => tokio::select! {
                    () = connection.wait() => {}
                    () = self.wanted.notified() => {}
                },
                Err(error) => {
                    tracing::error!(%error, "PTY host is gone");
                    let mut state = self.state();
                    state.connection = None;
                    state.waiting.clear();
                    state.signals.clear();
                    self.broken.notify_one();
                    self.told.notify_waiters();
                    return Heard::Lost(state.starting.drain().map(|(_, one)| one).collect());
                }
            }
        }
    }
}

fn kernel_signal(signal: Signal) -> hither_pty::Signal {
    match signal {
        Signal::Hup => hither_pty::Signal::HUP,
        Signal::Int => hither_pty::Signal::INT,
        Signal::Quit => hither_pty::Signal::QUIT,
        Signal::Kill => hither_pty::Signal::KILL,
        Signal::Usr1 => hither_pty::Signal::USR1,
        Signal::Usr2 => hither_pty::Signal::USR2,
        Signal::Term => hither_pty::Signal::TERM,
        Signal::Cont => hither_pty::Signal::CONT,
        Signal::Stop => hither_pty::Signal::STOP,
        Signal::Tstp => hither_pty::Signal::TSTP,
    }
}

fn signal_refused(reason: Refusal) -> SessionError {
    match reason {
        Refusal::UnknownSession => SessionError::NotFound,
        Refusal::NotPermitted => SessionError::NotPermitted,
        Refusal::NoProcess => SessionError::NoProcess,
        Refusal::NotClaimed
        | Refusal::DuplicateSession
        | Refusal::TooManySessions
        | Refusal::Stopping => SessionError::HostUnavailable,
    }
}
