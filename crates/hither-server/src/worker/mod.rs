//! The data plane: a bounded number of workers, each one thread with one event loop.
//!
//! A session, its PTY and its viewers live on one worker and never leave it. The worker carries
//! out what the state machines of `hither-core` decide; between socket and PTY there is no lock, no
//! channel, no timer, and no copy that the kernel does not make.

mod asking;
mod codec;
mod command;
mod ending;
mod event_loop;
mod holding;
mod housekeeping;
mod joining;
mod keeper;
mod measuring;
pub(crate) mod memory;
#[cfg(feature = "mutants")]
pub(crate) mod mutant;
mod outbox;
mod reading;
mod receiving;
mod sending;
mod session;
mod stream;
mod tls_stream;
mod turns;
mod typing;
mod viewer;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use hither_core::viewer::Slow;
use hither_core::{Offset, SessionId};
use hither_pty::Journal;
use hither_screen::Notice;
use slab::Slab;

pub(crate) use command::{Adoption, Command, WorkerHandle, answer};

use crate::clock::Clock;
use crate::directory::Upward;
use crate::metrics::WorkerMetrics;
use asking::PendingLook;
use session::Session;
use viewer::{Viewer, ViewerKey};

/// Size of the buffer that all sockets of a worker are read into.
const RECEIVE_BYTES: usize = 64 << 10;

/// What a worker is told at its start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Most bytes of one read of a PTY.
    pub(crate) read_bytes: usize,
    /// Output is held back until there is this much, or until `batch_delay` is over.
    pub(crate) batch_bytes: u64,
    /// Zero, the default: output is never held back.
    pub(crate) batch_delay: Duration,
    /// How long the worker polls after a keystroke before it sleeps.
    pub(crate) spin: Duration,
    /// Scrollback of snapshots and checkpoints, in lines.
    pub(crate) scrollback_lines: usize,
    /// What happens to viewers that cannot keep up.
    pub(crate) slow: Slow,
    /// How long each keystroke is held up, so that a test can see a slow server.
    #[cfg(debug_assertions)]
    pub(crate) simulated_latency: Duration,
    /// Most viewers of one session.
    pub(crate) viewers_max: usize,
    /// Most bytes of input that wait in one session, all sources together.
    pub(crate) input_queue_bytes_max: usize,
}

/// One worker; it lives on its own thread.
#[derive(Debug)]
struct Worker {
    poll: mio::Poll,
    inbox: Arc<command::Inbox>,
    upward: Arc<Upward>,
    settings: Settings,
    clock: Clock,
    /// Time since the clock's start, taken once a turn.
    now: Duration,
    journal: Journal,
    sessions: Slab<Session>,
    viewers: Slab<Viewer>,
    names: HashMap<SessionId, usize>,
    /// Sessions with output to read: those that write little, and those that flood.
    quiet: VecDeque<usize>,
    flooding: VecDeque<usize>,
    /// Viewers that may be read again.
    resumed: Vec<ViewerKey>,
    /// Viewers that wait for a snapshot.
    syncing: Vec<ViewerKey>,
    /// Sessions with queries whose answers take more than one turn.
    asked: Vec<usize>,
    /// Requests for the screen of a session.
    looks: Vec<PendingLook>,
    /// Moments at which something is due, rarely more than a few.
    deadlines: BTreeMap<Duration, ()>,
    /// How many more waits since the last keystroke are worth spinning for.
    spins: u8,
    turns: turns::Turns,
    stopping: bool,
    metrics: WorkerMetrics,
    // Reused buffers.
    scratch: Vec<u8>,
    receive_buffer: Vec<u8>,
    found: Vec<(Offset, Notice)>,
}
