//! Ends: of a child, of a session, of a connection.
//!
//! The order at the end of a session: everything the child wrote, then how it exited, then the
//! close frame, then the end of the stream.

use std::os::fd::AsRawFd;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hither_core::ExitStatus;
use hither_protocol::hither::{Features, ServerFrame, WireError};
use hither_protocol::websocket::CloseCode;
use mio::unix::SourceFd;

use super::Worker;
use super::codec;
use super::receiving::Refusal;
use super::session::Child;
use super::viewer::{Phase, ViewerKey};
use crate::sessions::{Life, SessionEvent, ViewerProtocol};

/// How long output is awaited of processes that keep the terminal open after the child has exited.
const DRAIN_TIME: Duration = Duration::from_secs(1);

impl Worker {
    /// The child has exited; what it wrote is still to be read.
    pub(super) fn handle_exit(&mut self, index: usize, status: ExitStatus) {
        if self.sessions[index].child != Child::Running {
            return;
        }
        let until = self.now + DRAIN_TIME;
        self.sessions[index].child = Child::Exited(status, until);
        self.wake_at(until);
        if status == ExitStatus::Lost || self.sessions[index].master.is_none() {
            self.end_session(index);
        } else {
            self.enqueue(index);
        }
    }

    /// Everything was read: the PTY is let go, and viewers are told when they have it all.
    pub(super) fn end_session(&mut self, index: usize) {
        let session = &mut self.sessions[index];
        let status = match session.child {
            Child::Exited(status, _) => status,
            Child::Ended(_) => return,
            // The PTY closed first; the host's word about the child follows.
            Child::Running => return self.drop_master(index),
        };
        session.child = Child::Ended(status);
        session.shared.set_ended(status, self.clock.unix_ms(self.now));
        self.upward.publish(SessionEvent::Exited(session.shared.id, status));
        self.drop_master(index);
        self.drop_typing(index);
        self.answer_followers(index);
        self.serve_session(index);
        self.give_up_unwatched(index);
    }

    fn drop_master(&mut self, index: usize) {
        let session = &mut self.sessions[index];
        session.reading.ready = false;
        if let Some(master) = session.master.take() {
            let fd = rustix::fd::AsFd::as_fd(&master).as_raw_fd();
            if let Err(error) = self.poll.registry().deregister(&mut SourceFd(&fd)) {
                tracing::debug!(%error, "forgetting a PTY");
            }
        }
    }

    /// Takes a session off this worker: its viewers are told, its memory is let go.
    pub(super) fn remove_session(&mut self, index: usize, code: CloseCode, reason: &str) {
        self.drop_typing(index);
        self.drop_master(index);
        let viewers = std::mem::take(&mut self.sessions[index].viewers);
        for key in viewers {
            self.viewers[key].session = None;
            self.send_away(key, code, reason);
        }
        let session = self.sessions.remove(index);
        self.names.remove(&session.shared.id);
    }

    /// Gives a session up that lives with its viewer and has none; whether that was so.
    pub(super) fn give_up_unwatched(&mut self, index: usize) -> bool {
        let unwatched = self.sessions.get(index).is_some_and(|session| {
            session.shared.life == Life::WithViewer && session.viewers.is_empty()
        });
        if unwatched {
            self.give_up(index);
        }
        unwatched
    }

    /// Asks the control plane to close a session that nobody needs any more.
    fn give_up(&mut self, index: usize) {
        let id = self.sessions[index].shared.id;
        self.remove_session(index, CloseCode::SESSION_CLOSED, "session closed");
        self.upward.close(id);
    }

    /// A connection is over: it is forgotten at once.
    pub(super) fn detach(&mut self, key: ViewerKey) {
        let Some(viewer) = self.viewers.try_remove(key) else { return };
        let Some(index) = viewer.session else { return };
        let session = &mut self.sessions[index];
        session.viewers.retain(|&other| other != key);
        session.size.handle_detach(viewer.id);
        self.publish_viewers(index);
        if self.give_up_unwatched(index) {
            return;
        }
        if std::mem::take(&mut self.sessions[index].reading.gated) {
            self.enqueue(index);
        }
        let watched = self.sessions[index]
            .viewers
            .iter()
            .any(|&other| self.viewers[other].features.contains(Features::TERMIOS));
        if !watched {
            self.sessions[index].echo = None;
        }
        self.notify(index, |viewer| viewer.notices.viewers = true);
        self.announce(index);
    }

    /// Tells the control plane how many watch a session, and since when nobody does.
    pub(super) fn publish_viewers(&self, index: usize) {
        let session = &self.sessions[index];
        session.shared.watched_ms.store(self.clock.unix_ms(self.now), Relaxed);
        session.shared.viewers.store(session.viewers.len(), Relaxed);
    }

    /// The last words to a viewer that has everything: how the child ended.
    pub(super) fn send_exit(&mut self, key: ViewerKey, status: ExitStatus) {
        let viewer = &mut self.viewers[key];
        codec::append_exit(viewer.protocol, status, viewer.outbox.bytes_mut());
        self.send_away(key, CloseCode::NORMAL, "session ended");
    }

    /// A viewer did what it may not do: it is told and sent away.
    pub(super) fn refuse(&mut self, key: ViewerKey, refusal: &Refusal) {
        let Some(viewer) = self.viewers.get_mut(key) else { return };
        self.metrics.count_refusal(refusal.code.number());
        tracing::info!(
            code = refusal.code.number(),
            reason = %refusal.reason,
            "viewer refused"
        );
        if viewer.protocol == ViewerProtocol::Hither
            && let Some(code) = codec::error_code(refusal.code)
        {
            let error = WireError { code, message: refusal.reason.clone() };
            codec::append_hither(viewer.outbox.bytes_mut(), &ServerFrame::Error(error));
        }
        self.send_away(key, refusal.code, &refusal.reason);
    }

    /// Sends a close frame and nothing after it.
    pub(super) fn send_away(&mut self, key: ViewerKey, code: CloseCode, reason: &str) {
        let now = self.now;
        let Some(viewer) = self.viewers.get_mut(key) else { return };
        if viewer.phase != Phase::Open {
            return;
        }
        codec::append_close(viewer.protocol, code, reason, viewer.outbox.bytes_mut());
        viewer.phase = Phase::Leaving;
        viewer.liveness.handle_heard(now);
        viewer.inbox = Vec::new();
        if viewer.outbox.is_empty() {
            viewer.stream.finish();
            viewer.phase = Phase::Left(now);
        } else {
            self.serve(key);
        }
    }
}
