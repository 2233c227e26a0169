//! The sessions that the host keeps.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use hither_core::SessionId;
use hither_pty::{
    Command, ExitStatus, Master, Pid, PidFd, Rlimit, Signal, Size, SpawnError, Spawner, Stage,
};
use rustix::event::epoll::EventFlags;
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit, kill_process_group, setrlimit};

use super::Shared;
use super::poll::{Poll, Token};
use crate::HostError;
use crate::limits::{CONNECTIONS_MAX, JOURNALS_MAX, SESSIONS_MAX};
use crate::message::{Life, Refusal, SessionFds, SessionState, SignalTarget, SpawnRequest};

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

struct Session {
    id: SessionId,
    pid: Pid,
    pidfd: Rc<PidFd>,
    /// `None` once it is closed.
    terminal: Option<Terminal>,
    status: Option<ExitStatus>,
    created_unix_ms: u64,
    meta: Box<[u8]>,
}

struct Terminal {
    master: Rc<Master>,
    memory: Rc<OwnedFd>,
}

/// A session that runs now.
pub(super) struct Spawned {
    pub(super) pid: u32,
    pub(super) fds: SessionFds<Shared>,
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
        let room = raised.current.map_or(u64::MAX, |max| max.saturating_sub(Self::OTHER_FDS));
        let max = usize::try_from(room / Self::FDS).unwrap_or(SESSIONS_MAX);
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

    /// Starts a session that was admitted.
    pub(super) fn spawn(
        &mut self,
        request: SpawnRequest,
        poll: &Poll,
    ) -> Result<Spawned, SpawnError> {
        let memory = memory(request.memory_bytes).map_err(|errno| at(Stage::Memory, errno))?;
        let size = Size { cols: request.size.cols(), rows: request.size.rows() };
        let (master, slave) = Master::open(size).map_err(|error| at(Stage::Terminal, error))?;
        let command = Command {
            program: &request.program,
            argv: &request.argv,
            env: &request.env,
            cwd: &request.cwd,
            umask: request.umask.into(),
            open_files: Some(self.open_files),
        };
        let child = self.spawner.spawn(&command, slave.as_fd())?;
        let session = Session {
            id: request.session,
            pid: child.pid,
            pidfd: Rc::new(child.pidfd),
            terminal: Some(Terminal { master: Rc::new(master), memory: Rc::new(memory) }),
            status: None,
            created_unix_ms: now_unix_ms(),
            meta: request.meta.into(),
        };
        let serial = self.next_serial;
        if let Err(errno) = poll.add(&session.pidfd, Token::Session(serial), EventFlags::IN) {
            session.pidfd.send_signal(Signal::KILL).ok();
            session.pidfd.wait().ok();
            return Err(at(Stage::Process, errno));
        }
        let spawned =
            Spawned { pid: pid_number(child.pid), fds: session.fds().expect("it has a terminal") };
        self.next_serial += 1;
        self.by_id.insert(session.id, serial);
        self.by_serial.insert(serial, session);
        Ok(spawned)
    }

    /// Learns how the leader has ended; `None` if it has not, or that was known.
    pub(super) fn reap(&mut self, serial: u64, poll: &Poll) -> Option<(SessionId, ExitStatus)> {
        let session = self.by_serial.get_mut(&serial)?;
        if session.status.is_some() {
            return None;
        }
        // An error means that somebody else has reaped our child: the status is lost.
        let status = session.pidfd.reap().unwrap_or(Some(ExitStatus::Unknown))?;
        poll.remove(&session.pidfd);
        session.status = Some(status);
        Some((session.id, status))
    }

    /// Hangs the session up and drops its terminal; `true` when its leader has ended already.
    pub(super) fn close(&mut self, serial: u64) -> bool {
        let Some(session) = self.by_serial.get_mut(&serial) else {
            return false;
        };
        if session.terminal.is_some() {
            session.hang_up();
            session.terminal = None;
        }
        session.status.is_some()
    }

    pub(super) fn is_closing(&self, serial: u64) -> bool {
        let session = self.by_serial.get(&serial);
        session.is_some_and(|session| session.terminal.is_none())
    }

    pub(super) fn remove(&mut self, serial: u64) -> Option<SessionId> {
        let session = self.by_serial.remove(&serial)?;
        self.by_id.remove(&session.id);
        Some(session.id)
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
            session.meta = meta.into();
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

impl Session {
    fn fds(&self) -> Option<SessionFds<Shared>> {
        let terminal = self.terminal.as_ref()?;
        Some(SessionFds {
            master: terminal.master.clone(),
            memory: terminal.memory.clone(),
            pidfd: self.pidfd.clone(),
        })
    }

    fn state(&self) -> SessionState {
        let life = match (self.status, &self.terminal) {
            (Some(status), _) => Life::Exited(status),
            (None, Some(_)) => Life::Running,
            (None, None) => Life::Closing,
        };
        SessionState {
            session: self.id,
            pid: pid_number(self.pid),
            created_unix_ms: self.created_unix_ms,
            life,
            meta: self.meta.to_vec(),
        }
    }

    /// Does what the kernel does when a terminal is gone: SIGHUP, and SIGCONT so that stopped
    /// processes hear it. The leader passes it on to its background jobs, as shells do.
    fn hang_up(&self) {
        for signal in [Signal::HUP, Signal::CONT] {
            self.signal(signal, SignalTarget::Foreground).ok();
            self.signal(signal, SignalTarget::Leader).ok();
        }
    }

    fn signal(&self, signal: Signal, target: SignalTarget) -> Result<(), Errno> {
        match target {
            SignalTarget::Foreground => {
                let terminal = self.terminal.as_ref().ok_or(Errno::SRCH)?;
                let group = terminal.master.foreground_group().map_err(|_| Errno::SRCH)?;
                kill_process_group(group, signal)
            }
            // The numbers are the leader's own until it has been reaped.
            SignalTarget::Leader | SignalTarget::Group if self.status.is_some() => Err(Errno::SRCH),
            SignalTarget::Leader => self
                .pidfd
                .send_signal(signal)
                .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::SRCH)),
            SignalTarget::Group => kill_process_group(self.pid, signal),
        }
    }
}

/// Memory of a fixed size to be shared.
fn memory(bytes: u64) -> Result<OwnedFd, Errno> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let memory = rustix::fs::memfd_create(c"hither-session", flags)?;
    rustix::fs::ftruncate(&memory, bytes)?;
    rustix::fs::fcntl_add_seals(&memory, SealFlags::SHRINK | SealFlags::GROW)?;
    Ok(memory)
}

fn at(stage: Stage, error: impl Into<io::Error>) -> SpawnError {
    let errno = error.into().raw_os_error().unwrap_or(libc::EIO);
    SpawnError { stage, errno }
}

pub(super) fn pid_number(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().unsigned_abs()
}

fn now_unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
