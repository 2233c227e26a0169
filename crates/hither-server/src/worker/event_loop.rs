//! The event loop: who is served, and in which order.
//!
//! Sockets and quiet sessions first, then one chunk of one flooding session, then the loop polls
//! again. So a typist waits for at most one chunk, however many sessions flood.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hither_pty::Journal;
use mio::event::Event;
use mio::{Events, Poll, Token, Waker};
use slab::Slab;

use super::command::Inbox;
use super::reading::Chunk;
use super::session::Child;
use super::viewer::ViewerKey;
use super::{RECEIVE_BYTES, Settings, Worker};
use crate::clock::Clock;
use crate::directory::Upward;

/// Events taken from the kernel at once.
const EVENTS: usize = 256;
const WAKE: Token = Token(usize::MAX);
/// Pause before a read is tried again for which the kernel had no memory.
const READ_AGAIN: Duration = Duration::from_millis(20);

/// The token of a viewer's socket.
pub(super) const fn viewer_token(key: ViewerKey) -> Token {
    Token(key << 1)
}

/// The token of a session's PTY.
pub(super) const fn session_token(index: usize) -> Token {
    Token(index << 1 | 1)
}

impl Worker {
    /// A worker without sessions.
    pub(super) fn new(
        settings: Settings,
        clock: Clock,
        journal: Journal,
        upward: Arc<Upward>,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        Ok(Self {
            poll,
            inbox: Arc::new(Inbox::new(waker)),
            upward,
            settings,
            clock,
            now: Duration::ZERO,
            journal,
            sessions: Slab::new(),
            viewers: Slab::new(),
            names: std::collections::HashMap::new(),
            quiet: std::collections::VecDeque::new(),
            flooding: std::collections::VecDeque::new(),
            resumed: Vec::new(),
            syncing: Vec::new(),
            asked: Vec::new(),
            looks: Vec::new(),
            deadlines: std::collections::BTreeMap::new(),
            spins: 0,
            turns: super::turns::Turns::default(),
            stopping: false,
            metrics: crate::metrics::WorkerMetrics::default(),
            scratch: Vec::new(),
            receive_buffer: vec![0; RECEIVE_BYTES],
            found: Vec::new(),
        })
    }

    /// Runs until it is told to stop.
    pub(super) fn run(&mut self) {
        let mut events = Events::with_capacity(EVENTS);
        while !self.is_done() {
            if let Err(error) = self.wait(&mut events) {
                tracing::error!(%error, "waiting for events");
                return;
            }
            self.now = self.clock.now();
            self.metrics.turns += 1;
            self.turn(&events);
        }
    }

    fn is_done(&self) -> bool {
        self.stopping && self.viewers.is_empty()
    }

    /// Waits for the next event, not at all while there is work.
    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let timeout = if self.has_work() {
            Some(Duration::ZERO)
        } else {
            let due = self.deadlines.first_key_value();
            due.map(|(&due, ())| due.saturating_sub(self.clock.now()))
        };
        if self.spins > 0 && timeout != Some(Duration::ZERO) {
            self.spins -= 1;
            self.spin(events)?;
            if !events.is_empty() {
                return Ok(());
            }
        }
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            result => result,
        }
    }

    /// Polls for what follows a keystroke for a moment: waking up would take longer. In between,
    /// whoever else wants this core gets it: that may be the program that is to echo.
    fn spin(&mut self, events: &mut Events) -> io::Result<()> {
        let until = self.clock.now() + self.settings.spin;
        loop {
            self.poll.poll(events, Some(Duration::ZERO))?;
            if !events.is_empty() || self.clock.now() >= until {
                return Ok(());
            }
            std::thread::yield_now();
        }
    }

    fn has_work(&self) -> bool {
        !(self.quiet.is_empty()
            && self.flooding.is_empty()
            && self.resumed.is_empty()
            && self.syncing.is_empty()
            && self.asked.is_empty()
            && self.looks.is_empty())
    }

    fn turn(&mut self, events: &Events) {
        let mut woken = false;
        for event in events {
            match event.token() {
                WAKE => woken = true,
                Token(token) if token & 1 == 0 => self.handle_socket(token >> 1, event),
                Token(token) => self.handle_pty(token >> 1, event),
            }
        }
        for key in std::mem::take(&mut self.resumed) {
            self.resume_receiving(key);
        }
        if woken {
            self.handle_commands();
        }
        self.read_quiet();
        self.read_flood(events.is_empty());
        self.sync_some();
        self.answer_some();
        if !self.looks.is_empty() {
            self.look_some();
        }
        self.handle_deadlines();
    }

    fn handle_socket(&mut self, key: ViewerKey, event: &Event) {
        let Some(viewer) = self.viewers.get_mut(key) else { return };
        if event.is_writable() && !viewer.writable {
            viewer.writable = true;
            self.serve(key);
        }
        // The end of the stream raises no second event when it comes together with data.
        let closed = event.is_read_closed() || event.is_error();
        if let Some(viewer) = self.viewers.get_mut(key) {
            viewer.finished |= closed;
            if event.is_readable() || closed {
                self.receive(key);
            }
        }
    }

    fn handle_pty(&mut self, index: usize, event: &Event) {
        if !self.sessions.contains(index) {
            return;
        }
        if event.is_writable() && self.sessions[index].awaits_writable {
            self.continue_typing(index);
        }
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            self.enqueue(index);
        }
    }

    /// Notes that a session may have output.
    pub(super) fn enqueue(&mut self, index: usize) {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(index) else { return };
        session.reading.ready = session.master.is_some();
        if session.reading.ready && !std::mem::replace(&mut session.reading.queued, true) {
            if session.reading.pace.is_flooding(now) {
                self.turns.handle_flood(now);
                self.flooding.push_back(index);
            } else {
                self.quiet.push_back(index);
            }
        }
    }

    fn read_quiet(&mut self) {
        for _ in 0..self.quiet.len() {
            if let Some(index) = self.quiet.pop_front() {
                self.read_and_send(index, true);
            }
        }
    }

    /// Reads one chunk of the flood whose turn it is. When nothing else happens and there is only
    /// one, what was read is held until there is a frame full of it or the PTY is empty.
    fn read_flood(&mut self, nothing_else: bool) {
        let alone = nothing_else && self.flooding.len() == 1;
        if let Some(index) = self.flooding.pop_front() {
            self.read_and_send(index, !alone);
        }
    }

    fn read_and_send(&mut self, index: usize, at_once: bool) {
        let Some(session) = self.sessions.get_mut(index) else { return };
        session.reading.queued = false;
        if !session.reading.ready {
            return;
        }
        let chunk = self.read_chunk(index);
        let Some(session) = self.sessions.get_mut(index) else { return };
        session.reading.ready = chunk == Chunk::More;
        match chunk {
            Chunk::More => {
                self.enqueue(index);
                if at_once || self.gathered(index) {
                    self.announce(index);
                }
            }
            Chunk::Drained => {
                self.announce(index);
                self.check_drained(index);
            }
            Chunk::Gated => self.announce(index),
            Chunk::Failed => self.read_later(index),
            Chunk::Closed => {
                self.announce(index);
                self.end_session(index);
            }
        }
        self.finish_echo(index);
        if self.sessions.get(index).is_some_and(|session| !session.followers.is_empty()) {
            self.answer_followers(index);
        }
    }

    /// A read failed that may succeed when the system has more memory: nothing wakes the worker then.
    fn read_later(&mut self, index: usize) {
        let at = self.now + READ_AGAIN;
        self.sessions[index].reading.again = Some(at);
        self.wake_at(at);
        self.announce(index);
    }

    /// Whether some viewer can be sent a full frame.
    fn gathered(&self, index: usize) -> bool {
        let session = &self.sessions[index];
        session.viewers.iter().any(|&viewer| {
            self.viewers[viewer].cursor.as_ref().is_some_and(|cursor| {
                let waiting = session.head().since(cursor.cursor());
                waiting >= hither_core::viewer::FRAME_OUTPUT_MAX
            })
        })
    }

    /// A session whose child has exited ends when its PTY is empty and its grace is over.
    fn check_drained(&mut self, index: usize) {
        if let Some(session) = self.sessions.get(index)
            && let Child::Exited(_, until) = session.child
            && self.now >= until
        {
            self.end_session(index);
        }
    }
}
