//! What both planes know of a session.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hither_auth::UserId;
use hither_core::{ExitStatus, Offset, SessionId, Shell, ShellMark, WindowSize};
use tracing::field::{Empty, display};
use tracing::{Span, debug_span};

use crate::sessions::{Amendment, LABELS_MAX, Life, OnClose, SessionError, SessionInfo, Status};

/// Facts about a session that its worker writes and the control plane reads.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) id: SessionId,
    pub(crate) owner: UserId,
    pub(crate) command: Arc<[String]>,
    pub(crate) cwd: Arc<Path>,
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
    /// The program's title is another than the PTY host keeps for the next gateway.
    renamed: AtomicBool,
    names: Mutex<Names>,
    shell: Mutex<Shell>,
    /// Where the shell says it is.
    directory: Mutex<Option<String>>,
    ended: Mutex<Option<(ExitStatus, u64)>>,
    /// It is shown as lost, and the PTY host keeps it with a program that runs.
    stranded: AtomicBool,
    /// From the moment when this gateway knows of it to that when it does so no more.
    span: Mutex<Span>,
}

/// What people and programs call a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// The title that the program set last, or that the session started with.
    pub(crate) program_title: String,
    /// The title that somebody gave it, which hides the other.
    pub(crate) given_title: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
}

/// What a session starts with.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) id: SessionId,
    pub(crate) owner: UserId,
    pub(crate) command: Vec<String>,
    pub(crate) cwd: PathBuf,
    pub(crate) names: Names,
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
            command: facts.command.into(),
            cwd: facts.cwd.into(),
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
            names: Mutex::new(facts.names),
            shell: Mutex::default(),
            directory: Mutex::default(),
            ended: Mutex::new(None),
            stranded: AtomicBool::new(false),
            span: Mutex::new(debug_span!(
                parent: None,
                "session",
                session = %facts.id,
                owner = facts.owner.0,
                status = Empty,
            )),
        }
    }

    /// This gateway does not know the session any more.
    pub(crate) fn close_span(&self) {
        *held(&self.span) = Span::none();
    }

    /// Its title.
    pub(crate) fn title(&self) -> String {
        held(&self.names).title().to_owned()
    }

    /// What it is called.
    pub(crate) fn names(&self) -> Names {
        held(&self.names).clone()
    }

    /// The program sets the title; whether it is seen as another one.
    pub(crate) fn set_program_title(&self, title: &str) -> bool {
        let mut names = held(&self.names);
        if names.program_title == title {
            return false;
        }
        title.clone_into(&mut names.program_title);
        self.renamed.store(true, Relaxed);
        names.given_title.is_none()
    }

    /// Changes title and labels, all of it or, with an error, nothing; whether the title is
    /// another one now.
    pub(crate) fn amend(&self, amendment: Amendment) -> Result<bool, SessionError> {
        let mut names = held(&self.names);
        let mut after = names.clone();
        if let Some(title) = amendment.title {
            after.given_title = title;
        }
        for (name, value) in amendment.labels {
            match value {
                Some(value) => drop(after.labels.insert(name, value)),
                None => drop(after.labels.remove(&name)),
            }
        }
        if after.labels.len() > LABELS_MAX {
            return Err(SessionError::TooManyLabels { max: LABELS_MAX });
        }
        let renamed = after.title() != names.title();
        *names = after;
        Ok(renamed)
    }

    /// What its shell has said about itself.
    pub(crate) fn shell(&self) -> Shell {
        held(&self.shell).clone()
    }

    pub(crate) fn handle_mark(&self, mark: ShellMark, at: Offset) {
        held(&self.shell).handle_mark(mark, at);
    }

    /// Its shell is in this directory; whether that is news.
    pub(crate) fn set_directory(&self, path: &str) -> bool {
        let mut directory = held(&self.directory);
        if directory.as_deref() == Some(path) {
            return false;
        }
        *directory = Some(path.to_owned());
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
        held(&self.span).record("status", display(status));
        self.updated_ms.store(now_ms, Relaxed);
        let at = now_ms;
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some((status, at));
    }

    /// Whether it is shown as lost and lives on with the PTY host, out of reach of this gateway.
    pub(crate) fn is_stranded(&self) -> bool {
        self.stranded.load(Relaxed)
    }

    pub(crate) fn set_stranded(&self, stranded: bool) {
        self.stranded.store(stranded, Relaxed);
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
        let (title, labels) = {
            let names = held(&self.names);
            (names.title().to_owned(), names.labels.clone())
        };
        let (shell, last_exit) = {
            let shell = held(&self.shell);
            (shell.phase(), shell.last_exit())
        };
        SessionInfo {
            id: self.id,
            title,
            command: Arc::clone(&self.command),
            cwd: Arc::clone(&self.cwd),
            size: WindowSize::clamped(size >> 16, size & 0xffff),
            created: time(self.created_ms),
            updated: time(self.updated_ms.load(Relaxed)),
            status: self.ended().map_or(Status::Running, Status::Exited),
            viewers: self.viewers.load(Relaxed),
            owner: self.owner,
            output_bytes: self.output_bytes.load(Relaxed),
            echo: known(&self.echo_micros),
            round_trip: known(&self.round_trip_micros),
            labels,
            shell,
            last_exit,
            directory: held(&self.directory).clone(),
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

impl Names {
    fn title(&self) -> &str {
        self.given_title.as_ref().unwrap_or(&self.program_title)
    }
}

// No operation under these locks leaves anything half done, so a poisoned one is still good.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pack(size: WindowSize) -> u32 {
    u32::from(size.cols()) << 16 | u32::from(size.rows())
}

fn time(unix_ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(unix_ms)
}
