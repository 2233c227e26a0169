//! What is done once a second or at a set time, and what the API asks for.

use std::time::Duration;

use hither_core::liveness::Due;
use hither_core::{SessionId, ViewerId, WindowSize};
use hither_protocol::websocket::{CloseCode, Opcode, append_frame};
use mio::Interest;
use mio::unix::SourceFd;
use rustix::fd::AsFd;
use std::os::fd::AsRawFd;

use super::Worker;
use super::command::{Adoption, Reply, answer};
use super::event_loop::session_token;
use super::measuring::{HELLO_TIME_LIMIT, INPUT_QUEUE, UNANSWERED_PINGS};
use super::session::{Child, Session};
use super::turns::{self, Counted};
use super::typing::Source;
use super::viewer::{Phase, ViewerKey};
use crate::sessions::{SessionError, ViewerProtocol};

/// A viewer of `hither.v1` must say hello within this time.
const HELLO_TIME: Duration = Duration::from_secs(10);
/// How long a peer may take to close after the goodbye.
const GOODBYE_TIME: Duration = Duration::from_secs(5);

impl Worker {
    /// Takes a session over from the host.
    pub(super) fn adopt(&mut self, adoption: Adoption) {
        let Adoption { shared, master, memory, exit } = adoption;
        let id = shared.id;
        let index = self.sessions.insert(Session::new(shared, master, memory));
        self.names.insert(id, index);
        self.recall_marks(index);
        if let Some(master) = &self.sessions[index].master {
            let fd = master.as_fd().as_raw_fd();
            let token = session_token(index);
            let registry = self.poll.registry();
            if let Err(error) = registry.register(&mut SourceFd(&fd), token, Interest::READABLE) {
                tracing::error!(%error, session = %id, "watching a PTY");
            }
            // What came before the registration may raise no event.
            self.enqueue(index);
            let session = &self.sessions[index];
            if session.memory.answered() < session.head() {
                self.answer(index, self.sessions[index].head());
            }
        }
        if let Some(status) = exit {
            self.handle_exit(index, status);
            if self.sessions[index].master.is_none() {
                self.end_session(index);
            }
        }
    }

    /// Sends every viewer away; the sessions live on.
    pub(super) fn stop(&mut self) {
        self.stopping = true;
        let keys: Vec<ViewerKey> = self.viewers.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.send_away(key, CloseCode::RESTART, "the gateway stops; sessions live on");
        }
        self.deadlines.insert(self.now + Duration::from_secs(1), ());
    }

    /// Something is due at this time.
    pub(super) fn wake_at(&mut self, due: Duration) {
        self.deadlines.insert(due, ());
    }

    /// Does what is due. Deadlines are rare, so all sessions are looked at.
    pub(super) fn handle_deadlines(&mut self) {
        let mut due = false;
        while let Some((&at, ())) = self.deadlines.first_key_value()
            && at <= self.now
        {
            self.deadlines.remove(&at);
            due = true;
        }
        if !due {
            return;
        }
        let indices: Vec<usize> = self.sessions.iter().map(|(index, _)| index).collect();
        for index in indices {
            self.apply_size(index);
            self.release_held(index);
            let Some(session) = self.sessions.get_mut(index) else { continue };
            let again = session.reading.again.take_if(|at| *at <= self.now).is_some();
            let drained = matches!(session.child, Child::Exited(_, until) if self.now >= until);
            if again || drained {
                self.enqueue(index);
            }
        }
        if self.stopping {
            self.drop_goodbyes(Duration::from_secs(1));
        }
    }

    /// What has to be looked at about once a second.
    pub(super) fn tick(&mut self) {
        let keys: Vec<ViewerKey> = self.viewers.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.check_viewer(key);
        }
        self.drop_goodbyes(GOODBYE_TIME);
        let counted = Counted {
            inputs: self.metrics.inputs,
            turns: self.metrics.turns,
            waited: turns::waited(),
        };
        self.turns.fit(self.now, counted);
        let indices: Vec<usize> = self.sessions.iter().map(|(index, _)| index).collect();
        for index in indices {
            self.rest_keeper(index);
        }
        let screens = self.sessions.iter().any(|(_, session)| session.keeper.is_live());
        self.inbox.set_ticking(screens || !self.viewers.is_empty());
    }

    fn check_viewer(&mut self, key: ViewerKey) {
        let now = self.now;
        let Some(viewer) = self.viewers.get_mut(key) else { return };
        if viewer.phase != Phase::Open || viewer.protocol == ViewerProtocol::Raw {
            return;
        }
        if viewer.cursor.is_none() && viewer.liveness.silence(now) > HELLO_TIME {
            self.metrics.hit(HELLO_TIME_LIMIT);
            self.metrics.count_refusal(CloseCode::HELLO_TIMEOUT.number());
            return self.send_away(key, CloseCode::HELLO_TIMEOUT, "no hello within 10 seconds");
        }
        match viewer.liveness.poll(now) {
            Due::Nothing => {}
            Due::Ping => append_frame(viewer.outbox.bytes_mut(), Opcode::Ping, &[], None),
            Due::GiveUp => {
                tracing::info!("viewer does not answer");
                self.metrics.hit(UNANSWERED_PINGS);
                return self.detach(key);
            }
        }
        viewer.send_probe(now);
        if viewer.input.has_paused(now) {
            viewer.notices.input_ack = true;
        }
        self.serve(key);
    }

    fn drop_goodbyes(&mut self, patience: Duration) {
        let now = self.now;
        let late: Vec<ViewerKey> = self
            .viewers
            .iter()
            .filter(|(_, viewer)| match viewer.phase {
                Phase::Open => false,
                Phase::Leaving => viewer.liveness.silence(now) >= patience,
                Phase::Left(at) => now >= at + patience,
            })
            .map(|(key, _)| key)
            .collect();
        for key in late {
            self.detach(key);
        }
    }

    /// Sends what was held back for the batch delay.
    fn release_held(&mut self, index: usize) {
        let delay = self.settings.batch_delay;
        if let Some(session) = self.sessions.get_mut(index)
            && session.reading.held.is_some_and(|since| since + delay <= self.now)
        {
            session.reading.held = None;
            self.serve_session(index);
            self.finish_echo(index);
        }
    }

    /// New output or notices of a session are there: sends them, or holds them back if so
    /// configured.
    pub(super) fn announce(&mut self, index: usize) {
        let delay = self.settings.batch_delay;
        if delay.is_zero() {
            return self.serve_session(index);
        }
        let now = self.now;
        let Some(session) = self.sessions.get_mut(index) else { return };
        match session.reading.held {
            Some(since) if since + delay <= now => session.reading.held = None,
            Some(_) => {}
            None => {
                session.reading.held = Some(now);
                self.wake_at(now + delay);
            }
        }
        self.serve_session(index);
    }

    /// Input from the API goes behind everything typed before.
    pub(super) fn handle_api_input(&mut self, id: SessionId, bytes: &[u8], reply: Reply) {
        match self.running(id) {
            Err(error) => answer(reply, Err(error)),
            Ok(_) if bytes.is_empty() => answer(reply, Ok(())),
            Ok(index) => {
                if self.queue_is_full(index, bytes.len()) {
                    self.metrics.hit(INPUT_QUEUE);
                    answer(reply, Err(SessionError::InputFull));
                } else {
                    self.type_input(index, Source::Api(Some(reply)), bytes);
                }
            }
        }
    }

    /// The API sets the size, or gives it back to the viewers.
    pub(super) fn handle_api_size(
        &mut self,
        id: SessionId,
        size: Option<WindowSize>,
        reply: Reply,
    ) {
        let result = self.running(id).map(|index| match size {
            Some(size) => {
                self.sessions[index].size.handle_claim(ViewerId::NOBODY, size);
                self.apply_size(index);
            }
            None => {
                if let Some(&key) = self.sessions[index].viewers.last() {
                    self.claim_size(key, index);
                }
            }
        });
        answer(reply, result);
    }

    fn running(&self, id: SessionId) -> Result<usize, SessionError> {
        let index = *self.names.get(&id).ok_or(SessionError::NotFound)?;
        match self.sessions[index].child {
            Child::Running => Ok(index),
            Child::Exited(..) | Child::Ended(_) => Err(SessionError::Exited),
        }
    }
}
