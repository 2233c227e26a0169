//! A viewer: a cursor into the history, and what it is to be sent next.

use std::time::Duration;

use crate::flow::{AckBeyondSent, FlowWindow};
use crate::{History, Offset};

/// What happens when a viewer cannot keep up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slow {
    /// It is skipped to the present.
    Skip,
    /// The program waits for it.
    Wait,
}

/// Where a viewer stands towards the output.
///
/// Live → Behind → Syncing → Live …; a viewer that starts without a resume offset starts Behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewerState {
    /// Output continues at the cursor.
    Live,
    /// The cursor is not, or soon will not be, in the history: a snapshot is due.
    Behind,
    /// A snapshot was sent and is not acknowledged yet; output continues behind it.
    Syncing,
}

/// Cursor, flow and state of one viewer.
#[derive(Clone, Debug)]
pub struct ViewerCursor {
    state: ViewerState,
    cursor: Offset,
    /// Where output would have continued when the viewer fell behind.
    expected: Option<Offset>,
    /// Offset of a snapshot that it has not acknowledged.
    unseen: Option<Offset>,
    /// It fell behind while it was attached: its link is slower than the program.
    late: bool,
    flow: FlowWindow,
    slow: Slow,
}

/// What a viewer may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// This many bytes of output from the cursor on.
    Output(u64),
    /// A snapshot at the head.
    Snapshot,
    /// Nothing: it has everything.
    Idle,
    /// Nothing until it has acknowledged more.
    Blocked,
}

/// How far a viewer that is waited for may be behind: enough to keep a fast one busy, little enough
/// that Ctrl-C is seen soon on a slow one.
pub const WAIT_BEHIND_MAX: u64 = 1 << 16;
/// Most output in one frame.
pub const FRAME_OUTPUT_MAX: u64 = 1 << 16;

impl ViewerCursor {
    /// A viewer that continues at `resume` if the history reaches back to it, and is otherwise
    /// due a snapshot.
    #[must_use]
    pub fn new(history: &History, resume: Option<Offset>, slow: Slow) -> Self {
        let resumed = resume.filter(|&offset| history.reaches(offset));
        let cursor = resumed.unwrap_or_else(|| history.head());
        Self {
            state: if resumed.is_some() { ViewerState::Live } else { ViewerState::Behind },
            cursor,
            expected: resume.filter(|&offset| offset < history.tail()),
            unseen: None,
            late: false,
            flow: FlowWindow::new(cursor),
            slow,
        }
    }

    /// State of the viewer.
    #[must_use]
    pub const fn state(&self) -> ViewerState {
        self.state
    }

    /// Offset of the next byte it will be sent.
    #[must_use]
    pub const fn cursor(&self) -> Offset {
        self.cursor
    }

    /// What happens when it cannot keep up.
    #[must_use]
    pub const fn slow(&self) -> Slow {
        self.slow
    }

    /// Its flow window.
    #[must_use]
    pub const fn flow(&self) -> &FlowWindow {
        &self.flow
    }

    /// Whether the snapshot that is due is for one that was too slow, and should be small.
    #[must_use]
    pub const fn is_late(&self) -> bool {
        self.late
    }

    /// The first byte that it still needs from the history: nothing when it is Behind.
    #[must_use]
    pub fn needs(&self) -> Option<Offset> {
        (self.state != ViewerState::Behind).then_some(self.cursor)
    }

    /// How much more output may be read before a viewer that is waited for is too far behind;
    /// `None`: it is not waited for.
    #[must_use]
    pub fn patience(&self, history: &History) -> Option<u64> {
        let behind = history.head().since(self.needs()?);
        (self.slow == Slow::Wait).then(|| WAIT_BEHIND_MAX.saturating_sub(behind))
    }

    /// Output before `offset` was handed to its socket.
    pub fn handle_sent(&mut self, offset: Offset, now: Duration) {
        self.cursor = offset;
        self.flow.handle_sent(offset, now);
    }

    /// It has processed everything before `offset`.
    ///
    /// # Errors
    /// When it acknowledges what it was never sent.
    pub fn handle_ack(&mut self, offset: Offset, now: Duration) -> Result<(), AckBeyondSent> {
        self.flow.handle_ack(offset, now)?;
        if self.unseen.is_some_and(|snapshot| offset >= snapshot) {
            self.unseen = None;
            if self.state == ViewerState::Syncing {
                self.state = ViewerState::Live;
            }
        }
        Ok(())
    }

    /// The history is about to drop everything before `tail`. Whether the viewer falls behind.
    pub fn handle_overrun(&mut self, tail: Offset) -> bool {
        let falls_behind = self.state != ViewerState::Behind && self.cursor < tail;
        if falls_behind {
            self.expected = Some(self.expected.unwrap_or(self.cursor));
            self.state = ViewerState::Behind;
            self.late = true;
        }
        falls_behind
    }

    /// It typed: what counts for it is what happens now. If its link holds output back, it is
    /// skipped to the present instead of reading through what was written before (unless the
    /// program waits for it). Whether that is so.
    pub fn handle_typing(&mut self, history: &History) -> bool {
        let backlog = history.head().since(self.cursor);
        let held_back = self.flow.room() == 0 && backlog > crate::flow::WINDOW_MIN;
        self.slow == Slow::Skip && held_back && self.handle_overrun(history.head())
    }

    /// A snapshot of `bytes` at `offset` was handed to its socket. Returns the gap that must have
    /// been announced before it: the bytes that the viewer had a right to expect.
    pub fn handle_snapshot(&mut self, offset: Offset, bytes: u64) -> Option<(Offset, Offset)> {
        self.flow.handle_snapshot(offset, bytes);
        self.state = ViewerState::Syncing;
        self.unseen = Some(offset);
        self.continue_at(offset)
    }

    /// The gap that a viewer without snapshots must be told before output goes on at the head.
    pub fn handle_gap(&mut self, head: Offset) -> Option<(Offset, Offset)> {
        self.flow.handle_skip(head);
        self.state = ViewerState::Live;
        self.unseen = None;
        self.continue_at(head)
    }

    fn continue_at(&mut self, offset: Offset) -> Option<(Offset, Offset)> {
        self.cursor = offset;
        self.late = false;
        let gap = self.expected.take().filter(|&from| from < offset);
        gap.map(|from| (from, offset))
    }

    /// What it may be sent now.
    ///
    /// A viewer that is Behind gets its snapshot only when next to nothing is in flight to it any
    /// more, not even another snapshot: what it has not processed would only delay the present.
    pub fn poll(&mut self, history: &History) -> Next {
        if self.state == ViewerState::Behind {
            let seen = self.unseen.is_none();
            return if seen && self.flow.in_flight() < crate::flow::WINDOW_MIN {
                Next::Snapshot
            } else {
                Next::Blocked
            };
        }
        let available = history.head().since(self.cursor);
        if available == 0 {
            return Next::Idle;
        }
        match available.min(self.flow.room()).min(FRAME_OUTPUT_MAX) {
            0 => {
                self.flow.handle_blocked();
                Next::Blocked
            }
            len => Next::Output(len),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Something that happens to a viewer.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Write(u64),
        Serve,
        Ack(u64),
        Type,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (0_u64..100_000).prop_map(Step::Write),
            4 => Just(Step::Serve),
            3 => (0_u64..=100).prop_map(Step::Ack),
            1 => Just(Step::Type),
        ]
    }

    proptest! {
        /// Whatever happens, anywhere in the stream: a viewer is shown each byte once or told of the
        /// gap, never asked to wait for ever, and what is in flight has a limit.
        #[test]
        fn each_byte_is_shown_or_announced(
            start in prop_oneof![Just(0_u64), (1 << 53) - (1 << 25)..1_u64 << 53, u64::MAX - (1 << 26)..u64::MAX - (1 << 25)],
            waits in any::<bool>(),
            steps in prop::collection::vec(step(), 0..200),
        ) {
            let mut history = History::new(History::CAPACITY_MIN * 2, Offset(start)).unwrap();
            let slow = if waits { Slow::Wait } else { Slow::Skip };
            let mut viewer = ViewerCursor::new(&history, Some(Offset(start)), slow);
            // What it has been shown or told of, and what it was sent last.
            let (mut seen, mut sent) = (Offset(start), Offset(start));
            let mut now = NOW;
            for step in steps {
                now += Duration::from_millis(1);
                match step {
                    Step::Write(len) => {
                        history.advance(len.min(viewer.patience(&history).unwrap_or(u64::MAX)));
                        viewer.handle_overrun(history.tail());
                    }
                    Step::Serve => match viewer.poll(&history) {
                        Next::Output(len) => {
                            prop_assert_eq!(viewer.cursor(), seen);
                            prop_assert!(len <= FRAME_OUTPUT_MAX);
                            prop_assert!(history.reaches(seen), "what is sent is in the history");
                            seen = seen.plus(len);
                            sent = seen;
                            viewer.handle_sent(seen, now);
                        }
                        Next::Snapshot => {
                            let gap = viewer.handle_snapshot(history.head(), 5_000);
                            prop_assert_eq!(gap, (seen < history.head()).then(|| (seen, history.head())));
                            seen = history.head();
                            sent = seen;
                        }
                        Next::Idle => prop_assert_eq!(seen, history.head()),
                        Next::Blocked => prop_assert!(viewer.flow().in_flight() > 0),
                    },
                    Step::Ack(part) => {
                        let acked = viewer.flow().acked();
                        let far = sent.since(acked) * part / 100;
                        viewer.handle_ack(acked.plus(far), now).unwrap();
                    }
                    Step::Type => {
                        viewer.handle_typing(&history);
                    }
                }
                prop_assert!(viewer.flow().in_flight() <= crate::flow::WINDOW_MAX + crate::flow::WINDOW_MIN + 5_000);
                if waits {
                    prop_assert_eq!(viewer.state(), ViewerState::Live);
                    prop_assert!(history.head().since(seen) <= WAIT_BEHIND_MAX);
                }
            }
            // With acks it gets to the head, whatever state it was in.
            for _ in 0..200 {
                now += Duration::from_millis(1);
                viewer.handle_ack(sent, now).unwrap();
                match viewer.poll(&history) {
                    Next::Output(len) => {
                        seen = seen.plus(len);
                        viewer.handle_sent(seen, now);
                    }
                    Next::Snapshot => {
                        viewer.handle_snapshot(history.head(), 0);
                        seen = history.head();
                    }
                    Next::Idle => break,
                    Next::Blocked => prop_assert!(false, "blocked with nothing in flight"),
                }
                sent = seen;
            }
            prop_assert_eq!(seen, history.head());
        }
    }

    const NOW: Duration = Duration::ZERO;

    fn history(head: u64) -> History {
        History::new(History::CAPACITY_MIN, Offset(head)).unwrap()
    }

    #[test]
    fn resumes_inside_the_history_and_snapshots_outside() {
        let history = history(100_000);
        for (resume, state, cursor) in [
            (Some(100_000), ViewerState::Live, 100_000),
            (Some(34_464), ViewerState::Live, 34_464),
            (Some(34_463), ViewerState::Behind, 100_000),
            (Some(100_001), ViewerState::Behind, 100_000),
            (None, ViewerState::Behind, 100_000),
        ] {
            let viewer = ViewerCursor::new(&history, resume.map(Offset), Slow::Skip);
            assert_eq!((viewer.state(), viewer.cursor()), (state, Offset(cursor)), "{resume:?}");
        }
    }

    #[test]
    fn a_gap_is_announced_only_to_whom_something_is_missing() {
        let history = history(100_000);
        let mut fresh = ViewerCursor::new(&history, None, Slow::Skip);
        assert_eq!(fresh.handle_snapshot(Offset(100_000), 0), None);
        let mut late = ViewerCursor::new(&history, Some(Offset(7)), Slow::Skip);
        assert_eq!(late.handle_snapshot(Offset(100_000), 0), Some((Offset(7), Offset(100_000))));
    }

    #[test]
    fn who_types_behind_a_slow_link_sees_the_present() {
        let mut history = history(0);
        let mut viewer = ViewerCursor::new(&history, Some(Offset::ZERO), Slow::Skip);
        history.advance(60_000);
        viewer.handle_typing(&history);
        assert_eq!(viewer.state(), ViewerState::Live, "nothing holds it back yet");
        viewer.handle_sent(Offset(16_384), NOW);
        viewer.handle_typing(&history);
        assert_eq!(viewer.state(), ViewerState::Behind);
        let mut patient = ViewerCursor::new(&history, Some(Offset::ZERO), Slow::Wait);
        patient.handle_sent(Offset(16_384), NOW);
        patient.handle_typing(&history);
        assert_eq!(patient.state(), ViewerState::Live);
        assert_eq!(patient.patience(&history), Some(WAIT_BEHIND_MAX - (60_000 - 16_384)));
        assert_eq!(viewer.patience(&history), None);
    }

    #[test]
    fn falls_behind_is_synced_and_lives_again() {
        let mut history = history(0);
        let mut viewer = ViewerCursor::new(&history, Some(Offset::ZERO), Slow::Skip);
        history.advance(10_000);
        assert_eq!(viewer.poll(&history), Next::Output(10_000));
        viewer.handle_sent(Offset(10_000), NOW);
        history.advance(90_000);
        assert_eq!(viewer.poll(&history), Next::Output(6_384), "the rest of the first window");
        viewer.handle_sent(Offset(16_384), NOW);
        assert_eq!(viewer.poll(&history), Next::Blocked);
        viewer.handle_overrun(history.tail());
        assert_eq!(viewer.state(), ViewerState::Behind);
        assert_eq!(viewer.poll(&history), Next::Blocked, "16 KiB are still on their way");
        viewer.handle_ack(Offset(16_384), NOW).unwrap();
        assert_eq!(viewer.poll(&history), Next::Snapshot);
        let gap = viewer.handle_snapshot(Offset(100_000), 0);
        assert_eq!(gap, Some((Offset(16_384), Offset(100_000))));
        assert_eq!((viewer.state(), viewer.poll(&history)), (ViewerState::Syncing, Next::Idle));
        history.advance(90_000);
        viewer.handle_overrun(history.tail());
        assert_eq!(viewer.poll(&history), Next::Blocked, "the first snapshot is not seen yet");
        viewer.handle_ack(Offset(100_000), NOW).unwrap();
        assert_eq!(viewer.poll(&history), Next::Snapshot);
        viewer.handle_snapshot(Offset(190_000), 0);
        viewer.handle_ack(Offset(190_000), NOW).unwrap();
        assert_eq!(viewer.state(), ViewerState::Live);
    }
}
