//! A viewer comes: hello, welcome, and where its output starts.

use std::sync::atomic::Ordering::Relaxed;

use hither_core::viewer::{Slow, ViewerCursor, ViewerState};
use hither_core::{Offset, Role};
use hither_protocol::hither::{Features, Hello, ServerFrame, SessionState, Welcome};
use hither_protocol::ttyd;
use hither_protocol::websocket::CloseCode;

use super::Worker;
use super::codec;
use super::event_loop::viewer_token;
use super::measuring::VIEWERS_PER_SESSION;
use super::receiving::Refusal;
use super::session::Child;
use super::stream::Stream;
use super::viewer::{Viewer, ViewerKey};
use crate::sessions::{Connection, Life, ViewerProtocol};

/// A viewer without snapshots that comes this early is simply sent everything.
const WHOLE_BYTES_MAX: u64 = 4096;

impl Worker {
    /// Takes over a connection from the control plane.
    pub(super) fn attach(&mut self, connection: Connection) {
        let session = self.names.get(&connection.session).copied();
        let stream = Stream::new(connection.socket);
        let Connection { mut read_ahead, protocol, role, pass, .. } = connection;
        let viewer = Viewer::new(stream, protocol, role, pass, session.unwrap_or(0), self.now);
        let key = self.viewers.insert(viewer);
        self.metrics.attached += 1;
        self.inbox.set_ticking(true);
        let token = viewer_token(key);
        if let Err(error) = self.viewers[key].stream.register(self.poll.registry(), token) {
            tracing::error!(%error, "watching a socket");
            self.viewers.remove(key);
            if let Some(index) = session {
                self.give_up_unwatched(index);
            }
            return;
        }
        let Some(session) = session else {
            self.viewers[key].session = None;
            self.send_away(key, CloseCode::SESSION_NOT_FOUND, "session not found");
            return;
        };
        let max = self.settings.viewers_max;
        if self.sessions[session].viewers.len() >= max {
            self.viewers[key].session = None;
            self.metrics.hit(VIEWERS_PER_SESSION);
            let reason = format!("limit of {max} viewers is reached");
            self.send_away(key, CloseCode::TOO_MANY_VIEWERS, &reason);
            return;
        }
        let id = self.sessions[session].memory.name_viewer();
        self.viewers[key].id = id;
        self.viewers[key].pass.attached_as(id);
        self.sessions[session].viewers.push(key);
        if protocol != ViewerProtocol::Hither {
            self.join_plain(key, session);
        }
        // Its socket may have turned out to be broken.
        if !self.viewers.contains(key) || !self.handle_bytes(key, &mut read_ahead) {
            return;
        }
        // Whatever came between the handshake and the registration raises no event.
        self.receive(key);
    }

    /// A viewer of `hither.v1` has said hello.
    pub(super) fn join(&mut self, key: ViewerKey, hello: Hello) -> Result<(), Refusal> {
        let viewer = &mut self.viewers[key];
        let Some(index) = viewer.session else { return Ok(()) };
        let session = &mut self.sessions[index];
        if hello.role == Role::Observer {
            viewer.role = Role::Observer;
            viewer.wants_to_type = false;
        }
        viewer.features = hello.features;
        if !viewer.role.may_type() {
            viewer.features = viewer.features.without(Features::WAIT);
        }
        let slow = if viewer.features.contains(Features::WAIT) {
            Slow::Wait
        } else {
            session.slow_default(self.settings.slow)
        };
        let history = session.memory.history();
        let raw = viewer.features.contains(Features::RAW);
        let resume = match hello.resume {
            Some(offset) if offset <= history.head() => Some(offset),
            _ if raw => Some(history.tail()),
            _ if history.head() == Offset::ZERO => Some(Offset::ZERO),
            _ => None,
        };
        #[cfg(feature = "mutants")]
        let resume = super::mutant::resume(hello.resume, resume, history.head());
        viewer.window = hello.size;
        viewer.cursor = Some(ViewerCursor::new(history, resume, slow));
        let slot = session.memory.client(hello.client, self.clock.unix_ms(self.now));
        let accepted = session.memory.accepted(slot);
        #[cfg(feature = "mutants")]
        let accepted = super::mutant::accepted(accepted);
        viewer.input.resume(slot, accepted);
        viewer.notices.termios = viewer.features.contains(Features::TERMIOS);
        if viewer.notices.termios {
            session.echo = session.master.as_ref().and_then(|master| master.echo_flags().ok());
        }
        self.welcome(key, index, hello.resume);
        if !raw && hello.resume != resume {
            self.send_blank(key, index);
        }
        self.greet(key, index);
        Ok(())
    }

    fn welcome(&mut self, key: ViewerKey, index: usize, wanted: Option<Offset>) {
        let (viewer, session) = (&mut self.viewers[key], &self.sessions[index]);
        let Some(cursor) = &viewer.cursor else { return };
        let resumed = cursor.state() == ViewerState::Live && wanted == Some(cursor.cursor());
        self.metrics.resumed += u64::from(resumed);
        let welcome = Welcome {
            session: session.shared.id,
            viewer: viewer.id,
            resumed,
            offset: cursor.cursor(),
            accepted: viewer.input.accepted,
            size: session.size.size(),
            owner: session.size.owner(),
            role: viewer.role,
            features: viewer.features,
            title: session.shared.title(),
            state: match session.child {
                Child::Running => SessionState::Running,
                Child::Exited(..) | Child::Ended(_) => SessionState::Exited,
            },
        };
        codec::append_hither(viewer.outbox.bytes_mut(), &ServerFrame::Welcome(welcome));
    }

    /// The snapshot of a session that has written nothing yet needs no screen to be built.
    fn send_blank(&mut self, key: ViewerKey, index: usize) {
        let (viewer, session) = (&mut self.viewers[key], &self.sessions[index]);
        if session.head() == Offset::ZERO {
            let size = session.size.size();
            let blank = ServerFrame::Snapshot { offset: Offset::ZERO, size, bytes: &[] };
            codec::append_hither(viewer.outbox.bytes_mut(), &blank);
        }
    }

    /// A viewer of another protocol needs no hello.
    fn join_plain(&mut self, key: ViewerKey, index: usize) {
        let (viewer, session) = (&mut self.viewers[key], &mut self.sessions[index]);
        let history = session.memory.history();
        let whole = history.head().0 <= WHOLE_BYTES_MAX && !session.queries_seen;
        let resume = whole.then_some(Offset::ZERO);
        let slow = session.slow_default(self.settings.slow);
        viewer.cursor = Some(ViewerCursor::new(history, resume, slow));
        if viewer.protocol == ViewerProtocol::Ttyd {
            let out = viewer.outbox.bytes_mut();
            codec::append_ttyd(out, &ttyd::ServerFrame::Title(session.shared.title().into()));
            codec::append_ttyd(out, &ttyd::ServerFrame::Preferences("{ }".into()));
            viewer.window = (session.shared.life == Life::WithViewer).then(|| session.size.size());
        }
        self.greet(key, index);
    }

    /// Tells a viewer that it is in, and the others that one more watches.
    fn greet(&mut self, key: ViewerKey, index: usize) {
        self.publish_viewers(index);
        self.notify(index, |viewer| viewer.notices.viewers = true);
        if self.sessions[index].viewers.len() == 1 {
            self.claim_size(key, index);
        }
        self.serve_session(index);
    }

    /// A viewer types: its window counts, and it wants to see what happens now. False: it turned
    /// out to be gone, and its session may be gone with it.
    pub(super) fn handle_typist(&mut self, key: ViewerKey, index: usize) -> bool {
        let updated_ms = self.clock.unix_ms(self.now);
        self.sessions[index].shared.updated_ms.store(updated_ms, Relaxed);
        let history = *self.sessions[index].memory.history();
        let viewer = &mut self.viewers[key];
        viewer.input.typed = true;
        if let Some(cursor) = &mut viewer.cursor {
            self.metrics.skips += u64::from(cursor.handle_typing(&history));
        }
        self.claim_size(key, index);
        self.viewers.contains(key)
    }

    /// The window of a viewer that types, resizes or is alone becomes that of the session.
    pub(super) fn claim_size(&mut self, key: ViewerKey, index: usize) {
        let viewer = &self.viewers[key];
        if let Some(size) = viewer.window
            && viewer.role.may_type()
        {
            self.sessions[index].size.handle_claim(viewer.id, size);
            self.apply_size(index);
        }
    }

    /// Sets the window size if a change is due.
    pub(super) fn apply_size(&mut self, index: usize) {
        let session = &mut self.sessions[index];
        let before = session.memory.size();
        let Some((size, _)) = session.size.poll(self.now) else {
            if let Some(due) = session.size.deadline() {
                self.wake_at(due);
            }
            return;
        };
        if size != before {
            self.set_size(index, size);
        }
        self.notify(index, |viewer| viewer.notices.size = true);
        self.announce(index);
    }

    fn set_size(&mut self, index: usize, size: hither_core::WindowSize) {
        if !self.sessions[index].memory.mark_size(size) {
            let head = self.sessions[index].head();
            self.bring_to(index, head);
            self.make_checkpoint(index);
            let marked = self.sessions[index].memory.mark_size(size);
            debug_assert!(marked, "a new checkpoint frees all marks");
        }
        let session = &self.sessions[index];
        session.shared.set_size(size);
        let wanted = hither_pty::Size { cols: size.cols(), rows: size.rows() };
        if let Some(master) = &session.master
            && let Err(error) = master.set_size(wanted)
        {
            tracing::debug!(%error, "setting the window size");
        }
    }
}
