//! Keeps what is needed to rebuild the screen: a checkpoint, and for a while a live screen.
//!
//! A session has no emulator. It has a checkpoint and the history behind it; a screen is built from
//! both when somebody needs it (a viewer that attaches or was skipped, a query to answer) and let go
//! when nobody has for a while. Before the history overwrites what lies behind the checkpoint, a
//! new checkpoint is made further on.

use std::time::Duration;

use hither_core::Offset;
use hither_core::viewer::{Next, ViewerState};
use hither_protocol::hither::Features;
use hither_screen::{Screen, SnapshotLimits};

use super::Worker;
use super::codec;
use super::memory::{CHECKPOINT_BYTES, SessionMemory};
use super::session::Session;
use super::typing::Source;
use super::viewer::{Phase, ViewerKey};

/// The live screen of a session, if it has one.
#[derive(Debug, Default)]
pub(super) struct Keeper {
    live: Option<Live>,
    used: Duration,
}

#[derive(Debug)]
struct Live {
    screen: Box<Screen>,
    /// Everything before this offset has been fed.
    at: Offset,
}

/// Output that is fed in one turn while a viewer waits for a snapshot: about a quarter of a
/// millisecond.
const SLICE: u64 = 32 << 10;
/// A live screen that nobody needed for this long is let go.
const REST_TIME: Duration = Duration::from_secs(5);
/// An idle session whose screen is this far behind its checkpoint gets a new one.
const FAR: u64 = 64 << 10;
/// Most bytes of a snapshot for a viewer.
const SNAPSHOT_BYTES: usize = 512 << 10;

impl Keeper {
    /// Feeds at most `budget` bytes of the history towards `to`. Returns the answers to queries
    /// that nobody has answered yet.
    fn advance(
        &mut self,
        memory: &SessionMemory,
        scrollback_lines: usize,
        to: Offset,
        budget: u64,
    ) -> Vec<u8> {
        let live = self.live.get_or_insert_with(|| Live::build(memory, scrollback_lines));
        let until = to.min(live.at.plus(budget));
        let answered = memory.answered();
        let mut replies = Vec::new();
        while live.at < until {
            live.apply_sizes(memory);
            let mut stop = memory
                .marks(live.at)
                .map(|(offset, _)| offset)
                .find(|&offset| offset > live.at)
                .unwrap_or(until)
                .min(until);
            if live.at < answered {
                stop = stop.min(answered);
            }
            for slice in memory.output(live.at, stop.since(live.at)) {
                live.screen.feed(slice);
            }
            let fresh = live.screen.take_replies();
            if live.at >= answered {
                replies.extend_from_slice(&fresh);
            }
            live.at = stop;
        }
        live.apply_sizes(memory);
        replies
    }

    /// Whether there is a screen that takes memory.
    pub(super) const fn is_live(&self) -> bool {
        self.live.is_some()
    }

    fn is_at(&self, offset: Offset) -> bool {
        self.live.as_ref().is_some_and(|live| live.at >= offset)
    }
}

impl Live {
    fn build(memory: &SessionMemory, scrollback_lines: usize) -> Self {
        let checkpoint = memory.checkpoint();
        let mut screen = Box::new(Screen::new(checkpoint.size, scrollback_lines));
        screen.feed(checkpoint.bytes);
        drop(screen.take_replies());
        Self { screen, at: checkpoint.at }
    }

    /// Applies the resizes that happened at this very offset.
    fn apply_sizes(&mut self, memory: &SessionMemory) {
        let here = memory.marks(self.at).take_while(|&(offset, _)| offset == self.at).last();
        if let Some((_, size)) = here
            && size != self.screen.size()
        {
            self.screen.resize(size);
        }
    }
}

impl Worker {
    /// A viewer is due a snapshot (or a gap, if it wants no snapshots).
    pub(super) fn want_snapshot(&mut self, key: ViewerKey) {
        let viewer = &mut self.viewers[key];
        if viewer.features.contains(Features::RAW) {
            return self.send_gap(key);
        }
        if !self.syncing.contains(&key) {
            self.syncing.push(key);
        }
    }

    fn send_gap(&mut self, key: ViewerKey) {
        let viewer = &mut self.viewers[key];
        let (Some(index), Some(cursor)) = (viewer.session, &mut viewer.cursor) else { return };
        let head = self.sessions[index].head();
        if let Some((from, to)) = cursor.handle_gap(head) {
            let gap = hither_protocol::hither::ServerFrame::Gap { from, to };
            codec::append_hither(viewer.outbox.bytes_mut(), &gap);
        }
        self.serve(key);
    }

    /// Brings the screens that viewers wait for a slice nearer to the head, and sends the
    /// snapshots that are ready.
    pub(super) fn sync_some(&mut self) {
        for key in std::mem::take(&mut self.syncing) {
            let Some(viewer) = self.viewers.get_mut(key) else { continue };
            let Some(index) = viewer.session else { continue };
            let history = *self.sessions[index].memory.history();
            let due = viewer.phase == Phase::Open
                && viewer.cursor.as_mut().is_some_and(|c| c.poll(&history) == Next::Snapshot);
            if !due {
                continue;
            }
            self.advance(index, history.head(), SLICE);
            if self.sessions[index].keeper.is_at(history.head()) {
                self.send_snapshot(key, index);
            } else {
                self.syncing.push(key);
            }
        }
    }

    fn send_snapshot(&mut self, key: ViewerKey, index: usize) {
        let settings = self.settings;
        let (viewer, session) = (&mut self.viewers[key], &mut self.sessions[index]);
        let (Some(live), Some(cursor)) = (&session.keeper.live, &mut viewer.cursor) else { return };
        debug_assert_eq!(cursor.state(), ViewerState::Behind);
        // A viewer that was too slow gets no more history than its link takes at once.
        let late = cursor.flow().acked() > Offset::ZERO && cursor.flow().in_flight() > 0;
        let window = usize::try_from(cursor.flow().window()).unwrap_or(SNAPSHOT_BYTES);
        let limits = SnapshotLimits {
            scrollback_lines_max: settings.scrollback_lines,
            bytes_max: if late { window } else { SNAPSHOT_BYTES },
        };
        let snapshot = live.screen.snapshot(limits);
        let gap = cursor.handle_snapshot(live.at);
        codec::append_snapshot(viewer, session, &snapshot, gap);
        self.serve(key);
    }

    /// Brings the screen of a session towards `to` and types the answers to open queries.
    fn advance(&mut self, index: usize, to: Offset, budget: u64) {
        let now = self.now;
        let session = &mut self.sessions[index];
        session.keeper.used = now;
        self.inbox.set_ticking(true);
        let Session { keeper, memory, .. } = session;
        let replies = keeper.advance(memory, self.settings.scrollback_lines, to, budget);
        if !replies.is_empty() {
            self.type_input(index, Source::Screen, &replies);
        }
    }

    /// Answers the queries before `end`, which has just come.
    pub(super) fn answer(&mut self, index: usize, end: Offset) {
        self.advance(index, end, u64::MAX);
        let session = &self.sessions[index];
        session.memory.set_answered(session.head());
    }

    /// Makes a new checkpoint when reading `len` more bytes would overwrite what lies behind the
    /// present one. From half-way on a live screen follows the output at twice its pace, so that
    /// no read has to wait for a long catching up.
    pub(super) fn keep_checkpoint(&mut self, index: usize, len: u64) {
        let session = &self.sessions[index];
        let history = session.memory.history();
        let (capacity, head) = (history.capacity(), history.head());
        let behind = head.since(session.memory.checkpoint().at) + len;
        if behind <= capacity / 2 {
            return;
        }
        let at = session.keeper.live.as_ref().map_or(Offset::ZERO, |live| live.at);
        let aim = head.0 + len - capacity / 4;
        if at.0 < aim {
            let budget = if behind > capacity { u64::MAX } else { 4 * len };
            self.advance(index, Offset(aim).min(head), budget);
        }
        if behind > capacity - capacity / 8 {
            self.make_checkpoint(index);
        }
    }

    /// Makes a checkpoint where the live screen is, and there is one at least a quarter of the
    /// history further on than the last.
    pub(super) fn make_checkpoint(&mut self, index: usize) {
        let head = self.sessions[index].head();
        let far = Offset(self.sessions[index].memory.history().tail().0);
        if !self.sessions[index].keeper.is_at(far.max(Offset(1))) {
            self.advance(index, head, u64::MAX);
        }
        let Session { keeper, memory, .. } = &mut self.sessions[index];
        let Some(live) = &keeper.live else { return };
        let limits = SnapshotLimits {
            scrollback_lines_max: self.settings.scrollback_lines,
            bytes_max: CHECKPOINT_BYTES,
        };
        let bytes = live.screen.snapshot(limits);
        memory.store_checkpoint(live.at, live.screen.size(), &bytes);
    }

    /// Lets a screen go that nobody has needed for a while.
    pub(super) fn rest_keeper(&mut self, index: usize) {
        let session = &self.sessions[index];
        let Some(live) = &session.keeper.live else { return };
        if self.now < session.keeper.used + REST_TIME {
            return;
        }
        if live.at.since(session.memory.checkpoint().at) > FAR {
            self.make_checkpoint(index);
        }
        self.sessions[index].keeper.live = None;
    }
}
