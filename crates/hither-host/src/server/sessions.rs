//! The sessions that the host keeps.

use std::collections::BTreeMap;
use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};

use hither_core::SessionId;
use hither_pty::{ExitStatus, Pid, Rlimit, Signal, SpawnError, Spawner};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit, setrlimit};

use super::Shared;
use super::cgroup::Cgroups;
use super::ending::{Ending, may_have_followers};
use super::processes::{self, Process, Wanted};
use super::session::{Session, pid_number};
use crate::HostError;
use crate::limits::{CONNECTIONS_MAX, JOURNALS_MAX, SESSIONS_MAX};
use crate::message::{OnClose, Refusal, SessionFds, SessionState, SignalTarget, SpawnRequest};

/// All sessions by serial number, which is their order of birth and is never used twice.
pub(super) struct Sessions {
    spawner: Spawner,
    /// The limit that the host was started with; the children get it back.
    open_files: Rlimit,
    max: usize,
    next_serial: u64,
    by_serial: BTreeMap<u64, Session>,
    by_id: BTreeMap<SessionId, u64>,
    /// Sessions whose leaders have not been reaped.
    by_leader: BTreeMap<u32, u64>,
    endings: BTreeMap<u64, Ending>,
    /// `None` where sessions get no cgroup of their own.
    cgroups: Option<Cgroups>,
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
        // Where there are few, half of them are for sessions.
        let left = raised.current.map_or(u64::MAX, |max| max - Self::OTHER_FDS.min(max / 2));
        let max = usize::try_from(left / Self::FDS).unwrap_or(SESSIONS_MAX);
        Ok(Self {
            spawner,
            open_files,
            max: max.min(SESSIONS_MAX),
            next_serial: 0,
            by_serial: BTreeMap::new(),
            by_id: BTreeMap::new(),
            by_leader: BTreeMap::new(),
            endings: BTreeMap::new(),
            cgroups: Cgroups::open().ok(),
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

    /// Starts a session that was admitted.
    pub(super) fn spawn(&mut self, request: SpawnRequest) -> Result<&Session, SpawnError> {
        let id = request.session;
        let cgroup = self.cgroups.as_ref().and_then(|cgroups| cgroups.create(id));
        let cgroup_fd = cgroup.as_ref().map(OwnedFd::as_fd);
        let started = Session::start(request, &mut self.spawner, self.open_files, cgroup_fd);
        if let (Err(_), Some(cgroups)) = (&started, &mut self.cgroups) {
            cgroups.remove(id);
        }
        let session = started?;
        let serial = self.next_serial;
        self.next_serial += 1;
        self.by_id.insert(session.id(), serial);
        self.by_leader.insert(session.pid(), serial);
        Ok(self.by_serial.entry(serial).or_insert(session))
    }

    /// A child has ended and was reaped; the session whose leader it was, if it was one.
    pub(super) fn note_exit(&mut self, pid: Pid, status: ExitStatus) -> Option<u64> {
        let serial = self.by_leader.remove(&pid_number(pid))?;
        let session = self.by_serial.get_mut(&serial)?;
        session.note_exit(status);
        Some(serial)
    }

    pub(super) fn id(&self, serial: u64) -> Option<SessionId> {
        self.by_serial.get(&serial).map(Session::id)
    }

    pub(super) fn has_exited(&self, serial: u64) -> bool {
        self.by_serial.get(&serial).is_none_or(Session::has_exited)
    }

    pub(super) fn on_close(&self, serial: u64) -> Option<OnClose> {
        self.by_serial.get(&serial).map(Session::on_close)
    }

    /// Process number of the leader.
    pub(super) fn leader(&self, serial: u64) -> Option<u32> {
        self.by_serial.get(&serial).map(Session::pid)
    }

    /// Kills the leader if it lives.
    pub(super) fn kill_leader(&self, serial: u64) {
        if let Some(session) = self.by_serial.get(&serial) {
            session.signal(Signal::KILL, SignalTarget::Leader).ok();
        }
    }

    /// The processes of a session besides its leader.
    pub(super) fn followers(&self, serial: u64) -> Vec<Process> {
        let Some(session) = self.by_serial.get(&serial) else { return Vec::new() };
        let is_leader = |pid: u32| self.by_leader.contains_key(&pid);
        let leader = Some(session.pid()).filter(|_| !session.has_exited());
        if !may_have_followers(is_leader, leader) {
            return Vec::new();
        }
        let leaders = self.by_leader.iter();
        let leaders = leaders.filter_map(|(pid, serial)| Some((*pid, self.id(*serial)?)));
        let wanted = Wanted { id: session.id(), leader: session.pid() };
        processes::of_session(wanted, &leaders.collect())
    }

    /// Whether a closed session has no process any more, or none that is to be ended.
    pub(super) fn is_over(&self, serial: u64) -> bool {
        let Some(session) = self.by_serial.get(&serial) else { return false };
        session.is_closed()
            && session.has_exited()
            && (session.on_close() == OnClose::Keep || !self.has_processes(serial))
    }

    /// Whether a process of a session is left whose leader has ended.
    pub(super) fn has_processes(&self, serial: u64) -> bool {
        let cgroup = self.cgroups.as_ref().zip(self.id(serial));
        cgroup.is_some_and(|(cgroups, id)| cgroups.is_populated(id))
            || !self.followers(serial).is_empty()
    }

    /// Kills all processes of a session.
    pub(super) fn kill_followers(&self, serial: u64) {
        if let Some((cgroups, id)) = self.cgroups.as_ref().zip(self.id(serial)) {
            cgroups.kill(id);
        }
        // Those that have moved to another cgroup, and all where there is none.
        for process in self.followers(serial) {
            process.signal(Signal::KILL);
        }
    }

    /// Some process has ended: removes what it was the last to use.
    pub(super) fn tidy_cgroups(&mut self) {
        if let Some(cgroups) = &mut self.cgroups {
            cgroups.tidy();
        }
    }

    /// Removes what this host and those before it have left and the kernel gives up by now.
    pub(super) fn sweep_cgroups(&mut self) {
        if let Some(cgroups) = &mut self.cgroups {
            cgroups.sweep();
        }
    }

    /// The sessions that are ending.
    pub(super) fn endings(&self) -> Vec<(u64, Ending)> {
        self.endings.iter().map(|(serial, ending)| (*serial, *ending)).collect()
    }

    pub(super) fn set_ending(&mut self, serial: u64, ending: Ending) {
        self.endings.insert(serial, ending);
    }

    pub(super) fn clear_ending(&mut self, serial: u64) {
        self.endings.remove(&serial);
    }

    /// Hangs the session up and drops its terminal; `false` when that was done before.
    pub(super) fn close(&mut self, serial: u64) -> bool {
        self.by_serial.get_mut(&serial).is_some_and(Session::close)
    }

    pub(super) fn is_closed(&self, serial: u64) -> bool {
        self.by_serial.get(&serial).is_some_and(Session::is_closed)
    }

    pub(super) fn remove(&mut self, serial: u64) -> Option<SessionId> {
        let session = self.by_serial.remove(&serial)?;
        self.endings.remove(&serial);
        self.by_id.remove(&session.id());
        if let Some(cgroups) = &mut self.cgroups {
            cgroups.remove(session.id());
        }
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
