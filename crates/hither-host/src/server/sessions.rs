//! The sessions that the host keeps.

use std::collections::BTreeMap;
use std::ops::Range;

use hither_core::SessionId;
use hither_pty::{ExitStatus, Rlimit, Signal, SpawnError, Spawner, Stage};
use rustix::event::epoll::EventFlags;
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit, setrlimit};

use super::Shared;
use super::poll::{Poll, Token};
use super::session::{Session, at};
use crate::HostError;
use crate::limits::{CONNECTIONS_MAX, JOURNALS_MAX, SESSIONS_MAX};
use crate::message::{Refusal, SessionFds, SessionState, SignalTarget, SpawnRequest};

/// All sessions by serial number, which is their order of birth and is never used twice.
pub(super) struct Sessions {
    spawner: Spawner,
    /// The limit that the host was started with; the children get it back.
    open_files: Rlimit,
    max: usize,
    next_serial: u64,
    by_serial: BTreeMap<u64, Session>,
    by_id: BTreeMap<SessionId, u64>,
}

impl Sessions {
    /// Descriptors of a session.
    const FDS: u64 = 3;
    /// Descriptors that are not a session's: the connections, the journals, our own, and those that
    /// have been received and not yet been looked at.
    const OTHER_FDS: u64 = CONNECTIONS_MAX as u64 + 3 * JOURNALS_MAX as u64 + 32;

    /// No sessions; raises the limit of open files as far as it goes.
    pub(super) fn new() -> Result<Self, HostError> {
        let spawner = Spawner::new().map_err(HostError::when("preparing to start programs"))?;
        let open_files = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: open_files.maximum, maximum: open_files.maximum };
        setrlimit(Resource::Nofile, raised)
            .map_err(HostError::when("raising the limit of open files"))?;
        let left = raised.current.map_or(u64::MAX, |max| max.saturating_sub(Self::OTHER_FDS));
        let max = usize::try_from(left / Self::FDS).unwrap_or(SESSIONS_MAX);
        Ok(Self {
            spawner,
            open_files,
            max: max.min(SESSIONS_MAX),
            next_serial: 0,
            by_serial: BTreeMap::new(),
            by_id: BTreeMap::new(),
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_serial.is_empty()
    }

    /// One more than the serial number of the latest session.
    pub(super) fn end(&self) -> u64 {
        self.next_serial
    }

    /// The serial numbers of all sessions.
    pub(super) fn serials(&self) -> Vec<u64> {
        self.by_serial.keys().copied().collect()
    }

    pub(super) fn serial(&self, id: SessionId) -> Result<u64, Refusal> {
        self.by_id.get(&id).copied().ok_or(Refusal::UnknownSession)
    }

    /// Whether a session of this name can be started.
    pub(super) fn admit(&self, id: SessionId) -> Result<(), Refusal> {
        if self.by_id.contains_key(&id) {
            Err(Refusal::DuplicateSession)
        } else if self.by_serial.len() >= self.max {
            Err(Refusal::TooManySessions)
        } else {
            Ok(())
        }
    }

    /// Starts a session that was admitted and watches for its end.
    pub(super) fn spawn(
        &mut self,
        request: SpawnRequest,
        poll: &Poll,
    ) -> Result<&Session, SpawnError> {
        let session = Session::start(request, &mut self.spawner, self.open_files)?;
        let serial = self.next_serial;
        if let Err(errno) = poll.add(session.pidfd(), Token::Session(serial), EventFlags::IN) {
            session.pidfd().send_signal(Signal::KILL).ok();
            session.pidfd().wait().ok();
            return Err(at(Stage::Process, errno));
        }
        self.next_serial += 1;
        self.by_id.insert(session.id(), serial);
        Ok(self.by_serial.entry(serial).or_insert(session))
    }

    /// Learns how the leader has ended; `None` if it has not, or that was known.
    pub(super) fn reap(&mut self, serial: u64, poll: &Poll) -> Option<(SessionId, ExitStatus)> {
        let session = self.by_serial.get_mut(&serial)?;
        let status = session.reap()?;
        poll.remove(session.pidfd());
        Some((session.id(), status))
    }

    /// Hangs the session up and drops its terminal; `true` when its leader has ended already.
    pub(super) fn close(&mut self, serial: u64) -> bool {
        let session = self.by_serial.get_mut(&serial);
        session.is_some_and(|session| {
            session.close();
            session.has_exited()
        })
    }

    pub(super) fn is_closed(&self, serial: u64) -> bool {
        self.by_serial.get(&serial).is_some_and(Session::is_closed)
    }

    pub(super) fn remove(&mut self, serial: u64) -> Option<SessionId> {
        let session = self.by_serial.remove(&serial)?;
        self.by_id.remove(&session.id());
        Some(session.id())
    }

    pub(super) fn signal(
        &self,
        serial: u64,
        signal: Signal,
        target: SignalTarget,
    ) -> Result<(), Refusal> {
        let session = self.by_serial.get(&serial).ok_or(Refusal::UnknownSession)?;
        session.signal(signal, target).map_err(|errno| match errno {
            Errno::PERM => Refusal::NotPermitted,
            _ => Refusal::NoProcess,
        })
    }

    pub(super) fn set_meta(&mut self, serial: u64, meta: Vec<u8>) {
        if let Some(session) = self.by_serial.get_mut(&serial) {
            session.set_meta(meta);
        }
    }

    /// The first session of the range that has not been closed.
    pub(super) fn next_to_adopt(
        &self,
        range: Range<u64>,
    ) -> Option<(u64, SessionState, SessionFds<Shared>)> {
        let mut sessions = self.by_serial.range(range);
        sessions.find_map(|(serial, session)| Some((*serial, session.state(), session.fds()?)))
    }

    /// The first session of the range.
    pub(super) fn next_to_list(&self, range: Range<u64>) -> Option<(u64, SessionState)> {
        let (serial, session) = self.by_serial.range(range).next()?;
        Some((*serial, session.state()))
    }
}
