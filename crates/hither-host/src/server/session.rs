//! One session: its processes, its terminal, its memory.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use hither_core::SessionId;
use hither_pty::{
    Command, ExitStatus, Master, Pid, PidFd, Rlimit, Signal, Size, SpawnError, Spawner, Stage,
};
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;
use rustix::process::kill_process_group;

use super::Shared;
use crate::message::{Life, OnClose, SessionFds, SessionState, SignalTarget, SpawnRequest};

pub(super) struct Session {
    id: SessionId,
    pid: Pid,
    pidfd: Rc<PidFd>,
    /// `None` once it is closed.
    terminal: Option<Terminal>,
    status: Option<ExitStatus>,
    created_unix_ms: u64,
    meta: Box<[u8]>,
    on_close: OnClose,
}

struct Terminal {
    master: Rc<Master>,
    memory: Rc<OwnedFd>,
}

impl Session {
    /// Makes the memory and the terminal, and starts the program; the children get `open_files` and
    /// begin in `cgroup`.
    pub(super) fn start(
        request: SpawnRequest,
        spawner: &mut Spawner,
        open_files: Rlimit,
        cgroup: Option<BorrowedFd<'_>>,
    ) -> Result<Self, SpawnError> {
        let memory = memory(request.memory_bytes).map_err(|errno| at(Stage::Memory, errno))?;
        let size = Size { cols: request.size.cols(), rows: request.size.rows() };
        let (master, slave) = Master::open(size).map_err(|error| at(Stage::Terminal, error))?;
        let command = Command {
            program: &request.program,
            argv: &request.argv,
            env: &request.env,
            cwd: &request.cwd,
            umask: request.umask.into(),
            open_files: Some(open_files),
            cgroup,
        };
        let child = spawner.spawn(&command, slave.as_fd())?;
        Ok(Self {
            id: request.session,
            pid: child.pid,
            pidfd: Rc::new(child.pidfd),
            terminal: Some(Terminal { master: Rc::new(master), memory: Rc::new(memory) }),
            status: None,
            created_unix_ms: now_unix_ms(),
            meta: request.meta.into(),
            on_close: request.on_close,
        })
    }

    pub(super) fn id(&self) -> SessionId {
        self.id
    }

    /// Process number of the leader.
    pub(super) fn pid(&self) -> u32 {
        pid_number(self.pid)
    }

    /// What becomes of processes that outlive the leader.
    pub(super) fn on_close(&self) -> OnClose {
        self.on_close
    }

    /// Whether the leader has ended and has been reaped.
    pub(super) fn has_exited(&self) -> bool {
        self.status.is_some()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.terminal.is_none()
    }

    /// The leader has ended and was reaped.
    pub(super) fn note_exit(&mut self, status: ExitStatus) {
        self.status = Some(status);
    }

    /// Hangs up, once, and drops the terminal; whether it was there.
    pub(super) fn close(&mut self) -> bool {
        if !self.is_closed() {
            self.hang_up();
        }
        self.terminal.take().is_some()
    }

    pub(super) fn set_meta(&mut self, meta: Vec<u8>) {
        self.meta = meta.into();
    }

    /// What the gateway needs; `None` once it is closed.
    pub(super) fn fds(&self) -> Option<SessionFds<Shared>> {
        let terminal = self.terminal.as_ref()?;
        Some(SessionFds {
            master: terminal.master.clone(),
            memory: terminal.memory.clone(),
            pidfd: self.pidfd.clone(),
        })
    }

    pub(super) fn state(&self) -> SessionState {
        let life = match (self.status, &self.terminal) {
            (Some(status), _) => Life::Exited(status),
            (None, Some(_)) => Life::Running,
            (None, None) => Life::Closing,
        };
        SessionState {
            session: self.id,
            pid: self.pid(),
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

    pub(super) fn signal(&self, signal: Signal, target: SignalTarget) -> Result<(), Errno> {
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
