//! The host itself: one thread, one event loop.

mod cgroup;
mod claim;
mod connection;
mod ending;
mod handle;
mod poll;
mod processes;
mod residence;
mod session;
mod sessions;

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hither_pty::{ChildSignals, ExitStatus};
use rustix::event::epoll::EventFlags;
use rustix::process::{DumpableBehavior, geteuid, set_dumpable_behavior};

pub use self::cgroup::probe_cgroups;
use self::claim::Claim;
use self::connection::{Connection, Dropped};
use self::poll::{Poll, Token};
use self::residence::Residence;
use self::sessions::Sessions;
use crate::limits::CONNECTIONS_MAX;
use crate::message::{FromHost, JournalFds};
use crate::peer::Peer;
use crate::socket::{self, Received};
use crate::wire::decode_to_host;
use crate::{HostError, RuntimeDir};

/// A descriptor that is kept for as long as a session or a message that carries it needs it.
type Shared = Rc<dyn AsFd>;

/// Whether other processes of the same user may look into the host's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracing {
    /// No debugger, no core file, nothing of `/proc` that shows memory or descriptors: the programs
    /// in the sessions run as the same user and must not get at each other through the host.
    Forbidden,
    /// As the system allows it; for debugging.
    Allowed,
}

/// Serves `dir` in this process until the last session and the last connection are gone.
///
/// Takes the process over: every signal at its default disposition but SIGPIPE, which is ignored;
/// none blocked; the limit of open files raised as far as it goes. There should be no other thread.
///
/// # Errors
/// When it cannot start ([`HostError::AlreadyRunning`] among others), or the kernel fails it.
pub fn serve(dir: &Path, tracing: Tracing) -> Result<(), HostError> {
    let dir = RuntimeDir::open(dir)?;
    Server::start(dir, tracing)?.run()
}

pub(crate) struct Server {
    residence: Residence,
    poll: Poll,
    sessions: Sessions,
    children: ChildSignals,
    connections: BTreeMap<u64, Connection>,
    next_connection: u64,
    journals: BTreeMap<u16, JournalFds<Shared>>,
    claim: Option<Claim>,
    buffer: Vec<u8>,
    ends: Ends,
    listening: Listening,
}

/// Whether new connections are accepted; not for a while after it failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Listening {
    Always,
    Paused,
}

/// When the server ends: with its last session, and with its last connection unless told to stop.
#[derive(Clone, Copy)]
enum Ends {
    /// Nobody has connected yet; not before this time.
    NotBefore(Instant),
    WhenUnused,
    WhenEmpty,
}

impl Server {
    /// How long a fresh host waits for its first connection.
    const FIRST_CONNECTION: Duration = Duration::from_secs(10);
    /// How soon it tries again to end, when another process is just looking for a host, or to
    /// accept, when that failed.
    const RETRY: Duration = Duration::from_millis(50);
    /// So many messages of one connection are read before the others have their turn.
    const MESSAGES_PER_TURN: usize = 16;

    /// A server that is listening.
    pub(crate) fn start(dir: RuntimeDir, tracing: Tracing) -> Result<Self, HostError> {
        // An ignored SIGCHLD would lose the exit statuses.
        hither_pty::reset_signals();
        if tracing == Tracing::Forbidden {
            set_dumpable_behavior(DumpableBehavior::NotDumpable)
                .map_err(HostError::when("forbidding to trace the host"))?;
        }
        let sessions = Sessions::new()?;
        let children =
            ChildSignals::adopt_orphans().map_err(HostError::when("watching for children"))?;
        let residence = Residence::move_in(dir)?;
        let poll = Poll::new().map_err(HostError::when("making an event queue"))?;
        poll.add(residence.listener(), Token::Listener, EventFlags::IN)
            .map_err(HostError::when("watching the socket"))?;
        poll.add(&children, Token::Children, EventFlags::IN)
            .map_err(HostError::when("watching for children"))?;
        residence.open()?;
        Ok(Self {
            residence,
            poll,
            sessions,
            children,
            connections: BTreeMap::new(),
            next_connection: 0,
            journals: BTreeMap::new(),
            claim: None,
            buffer: socket::buffer(),
            ends: Ends::NotBefore(Instant::now() + Self::FIRST_CONNECTION),
            listening: Listening::Always,
        })
    }

    pub(crate) fn run(mut self) -> Result<(), HostError> {
        while !(self.is_done() && self.residence.move_out()?) {
            let events = self.poll.wait(self.patience())?;
            if self.listening == Listening::Paused {
                self.listen(Listening::Always);
            }
            for (token, flags) in events {
                match token {
                    Token::Listener => self.accept(),
                    Token::Connection(id) => self.handle_connection(id, flags),
                    Token::Children => self.handle_children(),
                }
            }
            self.look_after_endings();
            self.flush();
        }
        self.sessions.sweep_cgroups();
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.sessions.is_empty()
            && match self.ends {
                Ends::NotBefore(time) => self.connections.is_empty() && time <= Instant::now(),
                Ends::WhenUnused => self.connections.is_empty(),
                Ends::WhenEmpty => true,
            }
    }

    fn patience(&self) -> Option<Duration> {
        let own = if self.is_done() || self.listening == Listening::Paused {
            Some(Self::RETRY)
        } else {
            match self.ends {
                Ends::NotBefore(time) => Some(time.saturating_duration_since(Instant::now())),
                Ends::WhenUnused | Ends::WhenEmpty => None,
            }
        };
        own.into_iter().chain(self.next_ending()).min()
    }

    fn listen(&mut self, listening: Listening) {
        let flags = match listening {
            Listening::Always => EventFlags::IN,
            Listening::Paused => EventFlags::empty(),
        };
        let listener = self.residence.listener();
        self.poll.modify(listener, Token::Listener, flags).ok();
        self.listening = listening;
    }

    /// Accepts one connection; the event comes again if there are more.
    fn accept(&mut self) {
        match socket::accept(self.residence.listener()) {
            Ok(socket) => self.greet(socket),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            // No descriptor or no memory: whoever waits there waits until some are free again.
            Err(_) => self.listen(Listening::Paused),
        }
    }

    fn greet(&mut self, socket: OwnedFd) {
        let Ok(peer) = Peer::of(socket.as_fd()) else {
            return;
        };
        if peer.uid != geteuid().as_raw() || peer.pid.is_none() {
            return;
        }
        if self.connections.len() >= CONNECTIONS_MAX && !self.drop_a_stranger() {
            return;
        }
        let id = self.next_connection;
        let connection = Connection::new(socket, peer);
        let token = Token::Connection(id);
        if self.poll.add(connection.socket(), token, Connection::FIRST_WATCHED).is_ok() {
            self.next_connection += 1;
            self.connections.insert(id, connection);
            if let Ends::NotBefore(_) = self.ends {
                self.ends = Ends::WhenUnused;
            }
        }
    }

    /// Makes way by dropping the oldest connection that has not said hello.
    fn drop_a_stranger(&mut self) -> bool {
        let mut strangers =
            self.connections.iter().filter(|(_, connection)| !connection.is_known());
        let stranger = strangers.next().map(|(id, _)| *id);
        stranger.is_some_and(|id| {
            self.drop_connection(id);
            true
        })
    }

    fn handle_connection(&mut self, id: u64, flags: EventFlags) {
        if !flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            return;
        }
        for _ in 0..Self::MESSAGES_PER_TURN {
            match self.receive(id) {
                Ok(true) => {}
                Ok(false) => return,
                Err(Dropped) => return self.drop_connection(id),
            }
        }
    }

    /// Receives and handles one message; `false` when there is none.
    fn receive(&mut self, id: u64) -> Result<bool, Dropped> {
        let Some(connection) = self.connections.get(&id) else {
            return Ok(false);
        };
        match socket::receive(connection.socket(), &mut self.buffer) {
            Ok(Received::Message(len, fds)) => {
                let message = decode_to_host(&self.buffer[..len], fds).map_err(|_| Dropped)?;
                self.handle(id, message)?;
                Ok(true)
            }
            Ok(Received::Nothing) => Ok(false),
            Ok(Received::End) | Err(_) => Err(Dropped),
        }
    }

    fn drop_connection(&mut self, id: u64) {
        if let Some(connection) = self.connections.remove(&id) {
            self.poll.remove(connection.socket());
        }
        if let Some(claim) = &mut self.claim {
            claim.forget_connection(id);
        }
    }

    /// A session's leader has ended: tell, and see to what it has left behind.
    fn handle_exit(&mut self, serial: u64, status: ExitStatus) {
        let Some(session) = self.sessions.id(serial) else { return };
        self.tell_all(serial, || FromHost::Exited { session, status });
        if self.sessions.is_closed(serial) {
            self.look_after(serial);
        } else {
            self.leave_followers(serial);
        }
    }

    fn forget(&mut self, serial: u64) {
        if let Some(session) = self.sessions.remove(serial) {
            self.tell_all(serial, || FromHost::Closed { session });
        }
    }

    fn tell_all(&mut self, serial: u64, message: impl Fn() -> FromHost<Shared>) {
        for connection in self.connections.values_mut() {
            if connection.hears_of(serial) {
                connection.tell(message());
            }
        }
    }

    /// Sends what is to be sent, as far as the other sides read.
    fn flush(&mut self) {
        let mut dropped = Vec::new();
        for (id, connection) in &mut self.connections {
            let pumped = connection.pump(&self.sessions, &self.journals);
            let watched = connection.watch(&self.poll, Token::Connection(*id));
            if pumped.and(watched).is_err() {
                dropped.push(*id);
            }
        }
        for id in dropped {
            self.drop_connection(id);
        }
    }
}
