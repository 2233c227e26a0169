//! What both planes know of a session.

use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hither_auth::UserId;
use hither_core::{ExitStatus, SessionId, WindowSize};

use crate::sessions::{Life, OnClose, SessionInfo, Status};

/// Facts about a session that its worker writes and the control plane reads.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) id: SessionId,
    pub(crate) owner: UserId,
    pub(crate) command: Vec<String>,
    pub(crate) cwd: PathBuf,
    pub(crate) life: Life,
    pub(crate) created_ms: u64,
    /// Number of the worker that owns it.
    pub(crate) worker: usize,
    pub(crate) updated_ms: AtomicU64,
    /// When this gateway came to know of it.
    pub(crate) known_since_ms: u64,
    /// When its last viewer left, if it has none.
    pub(crate) watched_ms: AtomicU64,
    pub(crate) viewers: AtomicUsize,
    /// Offset of the end of its output.
    pub(crate) output_bytes: AtomicU64,
    /// Time between a keystroke and its echo inside of this machine, in microseconds; 0 is unknown.
    echo_micros: AtomicU32,
    /// Round trip of whoever typed last, in microseconds; 0 is unknown.
    round_trip_micros: AtomicU32,
    size: AtomicU32,
    /// The title is another than the PTY host keeps for the next gateway.
    renamed: AtomicBool,
    title: Mutex<String>,
    ended: Mutex<Option<(ExitStatus, u64)>>,
}

/// What a session starts with.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) id: SessionId,
    pub(crate) owner: UserId,
    pub(crate) command: Vec<String>,
    pub(crate) cwd: PathBuf,
    pub(crate) title: String,
    pub(crate) life: Life,
    pub(crate) on_close: OnClose,
    pub(crate) size: WindowSize,
    pub(crate) created_ms: u64,
}

impl Shared {
    pub(crate) fn new(facts: Facts, worker: usize, now_ms: u64) -> Self {
        Self {
            id: facts.id,
            owner: facts.owner,
            command: facts.command,
            cwd: facts.cwd,
            life: facts.life,
            created_ms: facts.created_ms,
            worker,
            updated_ms: AtomicU64::new(facts.created_ms),
            known_since_ms: now_ms,
            watched_ms: AtomicU64::new(now_ms),
            viewers: AtomicUsize::new(0),
            output_bytes: AtomicU64::new(0),
            echo_micros: AtomicU32::new(0),
            round_trip_micros: AtomicU32::new(0),
            size: AtomicU32::new(pack(facts.size)),
            renamed: AtomicBool::new(false),
            title: Mutex::new(facts.title),
            ended: Mutex::new(None),
        }
    }

    /// Its title.
    pub(crate) fn title(&self) -> String {
        self.title.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets the title; whether it is another one.
    pub(crate) fn set_title(&self, title: &str) -> bool {
        let mut held = self.title.lock().unwrap_or_else(PoisonError::into_inner);
        if *held == title {
            return false;
        }
        title.clone_into(&mut held);
        self.renamed.store(true, Relaxed);
        true
    }

    /// Whether the title has changed since this was asked last.
    pub(crate) fn take_renamed(&self) -> bool {
        self.renamed.swap(false, Relaxed)
    }

    pub(crate) fn set_size(&self, size: WindowSize) {
        self.size.store(pack(size), Relaxed);
    }

    /// A keystroke was echoed: what is kept follows the last few.
    pub(crate) fn set_echo(&self, echo: Duration) {
        let (new, old) = (micros(echo), self.echo_micros.load(Relaxed));
        let smooth = if old == 0 { new } else { old - old / 4 + new / 4 };
        self.echo_micros.store(smooth, Relaxed);
    }

    /// The round trip to a viewer that types was measured.
    pub(crate) fn set_round_trip(&self, round_trip: Duration) {
        self.round_trip_micros.store(micros(round_trip), Relaxed);
    }

    /// The child has exited and all its output is in the history.
    pub(crate) fn set_ended(&self, status: ExitStatus, now_ms: u64) {
        self.updated_ms.store(now_ms, Relaxed);
        let at = now_ms;
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some((status, at));
    }

    /// How its child ended, if it has.
    pub(crate) fn ended(&self) -> Option<ExitStatus> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).map(|(status, _)| status)
    }

    /// When it ended, in milliseconds since 1970, if it has.
    pub(crate) fn ended_at(&self) -> Option<u64> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).map(|(_, at)| at)
    }

    /// The session as the outside sees it.
    pub(crate) fn info(&self) -> SessionInfo {
        let size = self.size.load(Relaxed);
        SessionInfo {
            id: self.id,
            title: self.title(),
            command: self.command.clone(),
            cwd: self.cwd.clone(),
            size: WindowSize::clamped(size >> 16, size & 0xffff),
            created: time(self.created_ms),
            updated: time(self.updated_ms.load(Relaxed)),
            status: self.ended().map_or(Status::Running, Status::Exited),
            viewers: self.viewers.load(Relaxed),
            owner: self.owner,
            output_bytes: self.output_bytes.load(Relaxed),
            echo: known(&self.echo_micros),
            round_trip: known(&self.round_trip_micros),
        }
    }
}

/// A duration as it is kept; never 0, which stands for none.
fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX).clamp(1, u32::MAX / 2)
}

fn known(micros: &AtomicU32) -> Option<Duration> {
    let micros = micros.load(Relaxed);
    (micros > 0).then(|| Duration::from_micros(micros.into()))
}

fn pack(size: WindowSize) -> u32 {
    u32::from(size.cols()) << 16 | u32::from(size.rows())
}

fn time(unix_ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(unix_ms)
}
