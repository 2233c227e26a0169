//! What the control plane reads of a session: its output, now or as soon as there is more, and its
//! screen.
//!
//! Whoever waits for output has a cursor of its own and is answered with one run of output, then
//! asks again. So nothing is queued for anybody, a reader that is slow costs nothing, and a session
//! that nobody waits for pays one comparison for each read of its PTY.

use hither_core::{Offset, SessionId};
use tokio::sync::oneshot;

use super::Worker;
use super::command::answer;
use super::session::{Child, Session};
use crate::sessions::{Look, Output, SessionError};

/// Most bytes of output in one answer.
const OUTPUT_BYTES_MAX: u64 = 64 << 10;
/// Most requests that wait for output of one session.
const FOLLOWERS_MAX: usize = 256;
/// A look whose screen is built gets twice as much of each turn as of the one before, up to this
/// many turns; so it ends, however fast the program writes.
const DOUBLINGS_MAX: u32 = 16;
/// Output that is fed in the first of these turns.
const FIRST_SLICE: u64 = 32 << 10;

pub(crate) type OutputReply = oneshot::Sender<Result<Output, SessionError>>;
pub(crate) type LookReply = oneshot::Sender<Result<Look, SessionError>>;

/// A request for output that is answered when there is some.
#[derive(Debug)]
pub(super) struct Follower {
    from: Offset,
    reply: OutputReply,
}

/// A request for the screen of a session.
#[derive(Debug)]
pub(super) struct PendingLook {
    session: SessionId,
    scrollback_lines: usize,
    turns: u32,
    reply: LookReply,
}

impl Worker {
    /// Answers with output from `from` on, from the present end on if that is not said.
    pub(super) fn handle_output_request(
        &mut self,
        id: SessionId,
        from: Option<Offset>,
        wait: bool,
        reply: OutputReply,
    ) {
        let Some(&index) = self.names.get(&id) else {
            return answer(reply, Err(SessionError::NotFound));
        };
        let session = &mut self.sessions[index];
        let from = from.unwrap_or_else(|| session.head());
        if !wait || from < session.head() || matches!(session.child, Child::Ended(_)) {
            return answer(reply, Ok(session.output_from(from)));
        }
        // Those who have gone away are forgotten here, since a silent session never answers them.
        session.followers.retain(|follower| !follower.reply.is_closed());
        if session.followers.len() >= FOLLOWERS_MAX {
            return answer(reply, Err(SessionError::TooManyWaiting { max: FOLLOWERS_MAX }));
        }
        session.followers.push(Follower { from, reply });
    }

    /// Answers those who wait for output that is there now, or will never be.
    pub(super) fn answer_followers(&mut self, index: usize) {
        let session = &mut self.sessions[index];
        let ended = matches!(session.child, Child::Ended(_));
        let head = session.head();
        for follower in std::mem::take(&mut session.followers) {
            if follower.from < head || ended {
                answer(follower.reply, Ok(session.output_from(follower.from)));
            } else {
                session.followers.push(follower);
            }
        }
    }

    /// Notes that somebody wants the screen of a session.
    pub(super) fn handle_look_request(
        &mut self,
        id: SessionId,
        scrollback_lines: usize,
        reply: LookReply,
    ) {
        self.looks.push(PendingLook { session: id, scrollback_lines, turns: 0, reply });
    }

    /// Brings the screens that are asked for nearer to the head, and answers with those that are
    /// there.
    pub(super) fn look_some(&mut self) {
        for look in std::mem::take(&mut self.looks) {
            let Some(&index) = self.names.get(&look.session) else {
                answer(look.reply, Err(SessionError::NotFound));
                continue;
            };
            let slice = FIRST_SLICE << look.turns;
            match self.screen_at_head(index, slice) {
                Some(screen) => {
                    let screen = Box::new(screen.cropped(look.scrollback_lines));
                    let offset = self.sessions[index].head();
                    answer(look.reply, Ok(Look { offset, screen }));
                }
                None if look.reply.is_closed() => {}
                None => {
                    let turns = (look.turns + 1).min(DOUBLINGS_MAX);
                    self.looks.push(PendingLook { turns, ..look });
                }
            }
        }
    }
}

impl Session {
    fn output_from(&self, from: Offset) -> Output {
        let history = self.memory.history();
        let (tail, head) = (history.tail(), history.head());
        let from = from.max(tail).min(head);
        let len = head.since(from).min(OUTPUT_BYTES_MAX);
        let ended = match self.child {
            Child::Ended(status) => Some(status),
            Child::Running | Child::Exited(..) => None,
        };
        Output { from, bytes: self.memory.output(from, len).concat(), head, ended }
    }
}
