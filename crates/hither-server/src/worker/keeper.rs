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
use hither_screen::{Screen, SnapshotLimits, find_skip};

use super::Worker;
use super::codec;
use super::memory::{CHECKPOINT_BYTES, SessionMemory};
use super::session::Session;
use super::typing;
use super::viewer::{Phase, ViewerKey};
use crate::sessions::ViewerProtocol;

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
    /// It was just skipped to this place: what it shows is of no use until more is fed.
    skipped: bool,
}

/// What a screen is built from.
#[derive(Debug)]
struct Source<'a> {
    memory: &'a SessionMemory,
    /// From here on the output is plain.
    plain_since: Offset,
    scrollback_lines: usize,
}

/// Output that is fed in one turn while a viewer waits for a snapshot: about a quarter of a
/// millisecond.
const SLICE: u64 = 32 << 10;
/// A live screen that nobody needed for this long is let go.
const REST_TIME: Duration = Duration::from_secs(5);
/// A screen that is less than this behind is fed, not skipped.
const FAR: u64 = 64 << 10;
/// Most bytes of a snapshot for a viewer.
const SNAPSHOT_BYTES: usize = 512 << 10;

impl Keeper {
    /// Feeds at most `budget` bytes of the history towards `to`. Returns the answers to queries
    /// that nobody has answered yet.
    fn advance(&mut self, source: &Source<'_>, to: Offset, budget: u64) -> Vec<u8> {
        let live = self.live.get_or_insert_with(|| Live::build(source));
        live.skip(source);
        let memory = source.memory;
        let until = to.min(Offset(live.at.0.saturating_add(budget)));
        let mut replies = Vec::new();
        while live.at < until {
            live.apply_sizes(memory);
            let stop = live.next_stop(memory, until);
            for slice in memory.output(live.at, stop.since(live.at)) {
                live.screen.feed(slice);
            }
            let fresh = live.screen.take_replies();
            if live.at >= memory.answered() {
                replies.extend_from_slice(&fresh);
            }
            (live.at, live.skipped) = (stop, false);
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
    fn build(source: &Source<'_>) -> Self {
        let checkpoint = source.memory.checkpoint();
        let mut screen = Box::new(Screen::new(checkpoint.size, source.scrollback_lines));
        screen.feed(checkpoint.bytes);
        drop(screen.take_replies());
        Self { screen, at: checkpoint.at, skipped: false }
    }

    /// Where feeding has to pause: at a resize, and where the answered queries end.
    fn next_stop(&self, memory: &SessionMemory, until: Offset) -> Offset {
        let resize = memory.marks(self.at).map(|(offset, _)| offset).find(|&at| at > self.at);
        let answered = Some(memory.answered()).filter(|&at| at > self.at);
        [resize, answered].into_iter().flatten().fold(until, Offset::min)
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

    /// Leaves out plain output that has scrolled away since, if that is much.
    fn skip(&mut self, source: &Source<'_>) {
        let Source { memory, plain_since, scrollback_lines } = *source;
        let behind = memory.history().head().since(self.at);
        let resized = memory.marks(self.at).any(|(offset, _)| offset > self.at);
        if behind < FAR || resized || self.at < plain_since || !self.screen.may_skip() {
            return;
        }
        let plain = memory.output(self.at, behind);
        let Some(skipped) = find_skip(&plain, self.screen.size(), scrollback_lines) else { return };
        let first = skipped.min(plain[0].len());
        self.screen.skip_plain(&[&plain[0][..first], &plain[1][..skipped - first]]);
        self.at = self.at.plus(skipped as u64);
        self.skipped = true;
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
            self.metrics.count_gap(to.since(from));
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
        // A viewer that was too slow gets no more history than half of what its link takes at once.
        let late = cursor.is_late();
        let window = usize::try_from(cursor.flow().window() / 2).unwrap_or(SNAPSHOT_BYTES);
        let limits = SnapshotLimits {
            scrollback_lines_max: settings.scrollback_lines,
            bytes_max: if late { window } else { SNAPSHOT_BYTES },
        };
        let snapshot = live.screen.snapshot(limits);
        let gap = cursor.handle_snapshot(live.at, snapshot.len() as u64);
        self.metrics.snapshots += 1;
        if let Some((from, to)) = gap {
            self.metrics.count_gap(to.since(from));
        }
        if viewer.protocol == ViewerProtocol::Raw {
            let acked = cursor.handle_ack(live.at, self.now);
            debug_assert!(acked.is_ok());
        }
        codec::append_snapshot(viewer, session, &snapshot, gap);
        self.serve(key);
        self.check_held(key);
    }

    /// Brings the screen of a session towards `to` and types the answers to open queries.
    fn advance(&mut self, index: usize, to: Offset, budget: u64) {
        let now = self.now;
        let session = &mut self.sessions[index];
        session.keeper.used = now;
        self.inbox.set_ticking(true);
        let Session { keeper, memory, scanner, scanned_from, .. } = session;
        let source = Source {
            memory,
            plain_since: scanned_from.plus(scanner.plain_since()),
            scrollback_lines: self.settings.scrollback_lines,
        };
        let replies = keeper.advance(&source, to, budget);
        if !replies.is_empty() {
            self.type_input(index, typing::Source::Screen, &replies);
        }
    }

    /// Brings the screen of a session to `to` at once.
    pub(super) fn bring_to(&mut self, index: usize, to: Offset) {
        self.advance(index, to, u64::MAX);
    }

    /// Feeds at most `budget` bytes towards the head; the screen, if it is there then.
    pub(super) fn screen_at_head(&mut self, index: usize, budget: u64) -> Option<&Screen> {
        let head = self.sessions[index].head();
        self.advance(index, head, budget);
        let live = self.sessions[index].keeper.live.as_ref()?;
        (live.at >= head).then_some(&*live.screen)
    }

    /// Answers the queries before `end`: at once if the screen is near, else a slice in each turn, as
    /// others must not wait until all that was written before has been fed.
    pub(super) fn answer(&mut self, index: usize, end: Offset) {
        let waits = self.sessions[index].asked.replace(end).is_some();
        if !waits && !self.answer_slice(index) {
            self.asked.push(index);
        }
    }

    /// Goes on with the answers that take more than one turn.
    pub(super) fn answer_some(&mut self) {
        for index in std::mem::take(&mut self.asked) {
            // The session may be gone, and its place another's.
            let waits = self.sessions.get(index).is_some_and(|session| session.asked.is_some());
            if waits && !self.answer_slice(index) {
                self.asked.push(index);
            }
        }
    }

    /// Feeds one slice towards the last query. Whether all have been answered.
    fn answer_slice(&mut self, index: usize) -> bool {
        let Some(end) = self.sessions[index].asked else { return true };
        self.advance(index, end, SLICE);
        let session = &mut self.sessions[index];
        let done = session.keeper.is_at(end);
        if done {
            session.asked = None;
            // Behind the last query there is none: all output up to the head has been scanned.
            session.memory.set_answered(session.head());
        } else if let Some(live) = &session.keeper.live {
            session.memory.set_answered(session.memory.answered().max(live.at));
        }
        done
    }

    /// Makes a new checkpoint when reading `len` more bytes would soon overwrite what lies behind
    /// the present one. From half-way on a live screen follows the output at several times its
    /// pace, so that no read has to wait for a long catching up.
    pub(super) fn keep_checkpoint(&mut self, index: usize, len: u64) {
        let session = &self.sessions[index];
        let history = session.memory.history();
        let (capacity, head) = (history.capacity(), history.head());
        let behind = head.since(session.memory.checkpoint().at) + len;
        if behind <= capacity / 2 {
            return;
        }
        let aim = Offset((head.0 + len).saturating_sub(capacity / 4));
        if !session.keeper.is_at(aim) {
            let budget = if behind > capacity { u64::MAX } else { 4 * len };
            self.advance(index, aim.min(head), budget);
        }
        if behind > capacity - capacity / 8 {
            self.make_checkpoint(index);
        }
    }

    /// Makes a checkpoint where the live screen is, brought forward to the aim of
    /// [`Self::keep_checkpoint`] if it is not there yet.
    pub(super) fn make_checkpoint(&mut self, index: usize) {
        let history = self.sessions[index].memory.history();
        let aim = Offset(history.head().0.saturating_sub(history.capacity() / 4));
        if !self.sessions[index].keeper.is_at(aim) || !self.sessions[index].keeper.is_live() {
            self.advance(index, aim, u64::MAX);
        }
        let Session { keeper, memory, .. } = &mut self.sessions[index];
        let Some(live) = &keeper.live else { return };
        let limits = SnapshotLimits {
            scrollback_lines_max: if live.skipped { 0 } else { self.settings.scrollback_lines },
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
