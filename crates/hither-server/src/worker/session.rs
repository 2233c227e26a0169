//! One session on its worker.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hither_core::viewer::Slow;
use hither_core::{ExitStatus, Offset, Pace, SizePolicy};
use hither_pty::{EchoFlags, Master};
use hither_screen::Scanner;

use super::asking::Follower;
use super::keeper::Keeper;
use super::memory::SessionMemory;
use super::typing::Pending;
use super::viewer::ViewerKey;
use crate::directory::Shared;
use crate::metrics::EchoTimer;

/// A PTY, its history, and who watches.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) shared: Arc<Shared>,
    /// The PTY; none when the session has ended.
    pub(super) master: Option<Master>,
    pub(super) memory: SessionMemory,
    pub(super) reading: Reading,
    pub(super) scanner: Scanner,
    /// Offset of the first byte that the scanner has seen.
    pub(super) scanned_from: Offset,
    pub(super) keeper: Keeper,
    /// End of the last query, while queries wait for their answers.
    pub(super) asked: Option<Offset>,
    pub(super) child: Child,
    pub(super) viewers: Vec<ViewerKey>,
    /// Requests that wait for output.
    pub(super) followers: Vec<Follower>,
    pub(super) size: SizePolicy,
    /// Input that the PTY did not take yet, in order.
    pub(super) typing: VecDeque<Pending>,
    /// Whether the PTY is watched for being writable.
    pub(super) awaits_writable: bool,
    pub(super) echo: Option<EchoFlags>,
    pub(super) echo_timer: EchoTimer,
    /// Queries seen in the output so far, per kind of reply that a terminal would send.
    pub(super) queries_seen: bool,
}

/// Whether and when the PTY is to be read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// It may have output: an event said so and no read has shown the contrary.
    pub(super) ready: bool,
    /// It is in one of the worker's queues.
    pub(super) queued: bool,
    /// A viewer that is waited for must catch up first.
    pub(super) gated: bool,
    /// The kernel had no memory for the last read: it is tried again at this time.
    pub(super) again: Option<Duration>,
    pub(super) pace: Pace,
    /// Output was read and not sent yet, since this time.
    pub(super) held: Option<Duration>,
}

/// What is known of the child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Child {
    Running,
    /// It has exited; what it wrote is read until the PTY closes, or until this time.
    Exited(ExitStatus, Duration),
    /// All its output is in the history.
    Ended(ExitStatus),
}

impl Session {
    /// The session as it is handed to a worker.
    pub(super) fn new(shared: Arc<Shared>, master: Option<Master>, memory: SessionMemory) -> Self {
        let size = SizePolicy::new(memory.size());
        let scanned_from = memory.history().head();
        shared.output_bytes.store(scanned_from.0, Relaxed);
        Self {
            shared,
            master,
            memory,
            reading: Reading::default(),
            scanner: Scanner::new(),
            scanned_from,
            keeper: Keeper::default(),
            asked: None,
            child: Child::Running,
            viewers: Vec::new(),
            followers: Vec::new(),
            size,
            typing: VecDeque::new(),
            awaits_writable: false,
            echo: None,
            echo_timer: EchoTimer::default(),
            queries_seen: false,
        }
    }

    /// The end of the output.
    pub(super) const fn head(&self) -> Offset {
        self.memory.history().head()
    }

    /// Whether a viewer that is too slow may be skipped here: not the one viewer of a session
    /// that lives with it.
    pub(super) fn slow_default(&self, configured: Slow) -> Slow {
        match self.shared.life {
            crate::sessions::Life::WithViewer => Slow::Wait,
            crate::sessions::Life::Lasting => configured,
        }
    }
}
