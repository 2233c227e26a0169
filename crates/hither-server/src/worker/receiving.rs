//! Bytes from the viewers' sockets, and what they ask for.

use hither_core::{Admission, InputNumber, WindowSize};
use hither_protocol::hither::{ClientFrame, ServerFrame};
use hither_protocol::replies::Verdict;
use hither_protocol::websocket::{
    CloseCode, Control, Decoder, Limits, MessageKind, Opcode, Side, Step, append_frame,
};
use hither_protocol::{plan, ttyd};
use rustix::io::Errno;

use super::Worker;
use super::codec;
use super::holding::append_held;
use super::measuring::VIEWER_REPLIES;
use super::typing::Source;
use super::viewer::{Phase, ViewerKey};
use crate::sessions::ViewerProtocol;

/// Why a viewer is sent away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: CloseCode,
    pub(super) reason: String,
}

/// Reads of one viewer in one turn; others wait meanwhile.
const READS_MAX: u32 = 4;
/// Above this, what only answers the viewer (pongs) is dropped: it does not read.
const REPLIES_BYTES_MAX: usize = 64 << 10;

impl Refusal {
    pub(super) fn new(code: CloseCode, reason: impl ToString) -> Self {
        Self { code, reason: reason.to_string() }
    }
}

impl Worker {
    /// Reads what a viewer has sent and does it.
    pub(super) fn receive(&mut self, key: ViewerKey) {
        for _ in 0..READS_MAX {
            let Some(viewer) = self.viewers.get_mut(key) else { return };
            viewer.input.unread = viewer.input.waiting;
            if viewer.input.waiting {
                return;
            }
            let mut buffer = std::mem::take(&mut self.receive_buffer);
            let result = viewer.stream.read(&mut buffer);
            let more = viewer.stream.has_more()
                || result.is_ok_and(|len| len == buffer.len() || viewer.finished);
            let alive = match result {
                Ok(0) => false,
                Ok(len) => {
                    self.metrics.received_bytes += len as u64;
                    self.handle_bytes(key, &mut buffer[..len])
                }
                Err(error) => error == Errno::AGAIN,
            };
            self.receive_buffer = buffer;
            if !alive {
                return self.detach(key);
            }
            if !more {
                return;
            }
        }
        if let Some(viewer) = self.viewers.get_mut(key) {
            viewer.input.unread = true;
            self.resumed.push(key);
        }
    }

    /// A viewer that was not read for a while is read again.
    pub(super) fn resume_receiving(&mut self, key: ViewerKey) {
        let Some(viewer) = self.viewers.get_mut(key) else { return };
        let mut inbox = std::mem::take(&mut viewer.inbox);
        let alive = self.handle_bytes(key, &mut inbox);
        if !alive {
            self.detach(key);
        } else if self.viewers.get(key).is_some_and(|viewer| viewer.input.unread) {
            self.receive(key);
        }
    }

    /// Handles bytes behind those that wait in the inbox. False: the connection is over.
    pub(super) fn handle_bytes(&mut self, key: ViewerKey, bytes: &mut [u8]) -> bool {
        let now = self.now;
        let viewer = &mut self.viewers[key];
        viewer.liveness.handle_heard(now);
        if viewer.protocol == ViewerProtocol::Raw || viewer.phase != Phase::Open {
            return self.discard(key, bytes);
        }
        if viewer.inbox.is_empty() {
            let used = self.handle_messages(key, bytes);
            if used < bytes.len() {
                self.keep_unused(key, bytes[used..].to_vec());
            }
        } else {
            let mut inbox = std::mem::take(&mut viewer.inbox);
            append_held(&mut inbox, bytes);
            let used = self.handle_messages(key, &mut inbox);
            if used < inbox.len() {
                inbox.drain(..used);
                if used > 0 {
                    inbox.shrink_to_fit();
                }
                self.keep_unused(key, inbox);
            }
        }
        self.viewers.contains(key)
    }

    /// Keeps the start of a message, or what is behind one that waits, until more can be done.
    fn keep_unused(&mut self, key: ViewerKey, rest: Vec<u8>) {
        if let Some(viewer) = self.viewers.get_mut(key) {
            viewer.inbox = rest;
            self.check_held(key);
        }
    }

    /// After a goodbye only the peer's close is of interest.
    fn discard(&self, key: ViewerKey, _bytes: &[u8]) -> bool {
        self.viewers.contains(key)
    }

    /// Handles whole messages and returns how many bytes they took.
    fn handle_messages(&mut self, key: ViewerKey, bytes: &mut [u8]) -> usize {
        let idle = Decoder::new(Side::Server, Limits { message_max: 0, fragments_max: 0 });
        let mut decoder = std::mem::replace(&mut self.viewers[key].decoder, idle);
        let mut used = 0;
        while used < bytes.len() && !self.viewers[key].input.waiting {
            let (result, consumed) = match decoder.next(&mut bytes[used..]) {
                Ok(Step::Need(_)) => break,
                Ok(Step::Progress { consumed }) => (Ok(()), consumed),
                Ok(Step::Control { control, consumed }) => {
                    (self.handle_control(key, control), consumed)
                }
                Ok(Step::Message { kind, payload, consumed }) => {
                    (self.handle_message(key, kind, payload), consumed)
                }
                Err(error) => (Err(Refusal::new(error.close_code(), error)), bytes.len() - used),
            };
            used += consumed;
            if let Err(refusal) = result {
                self.refuse(key, &refusal);
            }
            let Some(viewer) = self.viewers.get(key) else { return bytes.len() };
            if viewer.phase != Phase::Open {
                used = bytes.len();
                break;
            }
        }
        if let Some(viewer) = self.viewers.get_mut(key) {
            viewer.decoder = decoder;
        }
        used
    }

    fn handle_control(&mut self, key: ViewerKey, control: Control<'_>) -> Result<(), Refusal> {
        match control {
            Control::Ping(payload) => {
                let viewer = &mut self.viewers[key];
                if viewer.outbox.len() < REPLIES_BYTES_MAX {
                    append_frame(viewer.outbox.bytes_mut(), Opcode::Pong, &[payload], None);
                    self.serve(key);
                } else {
                    self.metrics.hit(VIEWER_REPLIES);
                }
                Ok(())
            }
            Control::Pong(payload) if self.handle_probe(key, payload) => Ok(()),
            Control::Pong(payload) => match codec::pong_offset(payload) {
                Some(offset) if self.viewers[key].protocol != ViewerProtocol::Hither => {
                    self.handle_ack(key, offset)
                }
                _ => Ok(()),
            },
            Control::Close(close) => {
                let code = close.code.unwrap_or(CloseCode::NORMAL);
                self.send_away(key, code, "");
                Ok(())
            }
        }
    }

    fn handle_message(
        &mut self,
        key: ViewerKey,
        kind: MessageKind,
        payload: &[u8],
    ) -> Result<(), Refusal> {
        match self.viewers[key].protocol {
            ViewerProtocol::Hither => self.handle_hither(key, kind, payload),
            ViewerProtocol::Ttyd => self.handle_ttyd(key, payload),
            ViewerProtocol::Plan => self.handle_plan(key, kind, payload),
            ViewerProtocol::Raw => Ok(()),
        }
    }

    fn handle_hither(
        &mut self,
        key: ViewerKey,
        kind: MessageKind,
        payload: &[u8],
    ) -> Result<(), Refusal> {
        if kind == MessageKind::Text {
            return Err(Refusal::new(CloseCode::UNSUPPORTED_DATA, "expected a binary message"));
        }
        let frame = ClientFrame::decode(payload)
            .map_err(|error| Refusal::new(error.close_code(), error))?;
        let greeted = self.viewers[key].cursor.is_some();
        match frame {
            ClientFrame::Hello(hello) if !greeted => self.join(key, hello),
            ClientFrame::Input { number, bytes } if greeted => {
                self.handle_numbered(key, number, bytes)
            }
            ClientFrame::Resize(size) if greeted => self.handle_resize(key, size),
            ClientFrame::Ack(offset) if greeted => self.handle_ack(key, offset),
            ClientFrame::Ping(token) if greeted => {
                let viewer = &mut self.viewers[key];
                if viewer.outbox.len() < REPLIES_BYTES_MAX {
                    codec::append_hither(viewer.outbox.bytes_mut(), &ServerFrame::Pong(token));
                    self.serve(key);
                } else {
                    self.metrics.hit(VIEWER_REPLIES);
                }
                Ok(())
            }
            ClientFrame::Unknown(_) => {
                self.metrics.unknown_frames += 1;
                Ok(())
            }
            ClientFrame::Hello(_)
            | ClientFrame::Input { .. }
            | ClientFrame::Resize(_)
            | ClientFrame::Ack(_)
            | ClientFrame::Ping(_) => Err(Refusal::new(
                CloseCode::BAD_FRAME,
                "expected exactly one hello before anything else",
            )),
        }
    }

    fn handle_ttyd(&mut self, key: ViewerKey, payload: &[u8]) -> Result<(), Refusal> {
        match ttyd::ClientFrame::decode(payload) {
            Ok(ttyd::ClientFrame::Input(bytes)) => self.handle_plain(key, bytes),
            Ok(ttyd::ClientFrame::Resize(size)) => self.handle_resize(key, size),
            Ok(ttyd::ClientFrame::Init { size: Some(size), .. }) => self.handle_resize(key, size),
            // Flow is bounded by pings; ttyd's own server does not act on pause either.
            Ok(_) => Ok(()),
            Err(error) => Err(Refusal::new(CloseCode::INVALID_PAYLOAD, error)),
        }
    }

    fn handle_plan(
        &mut self,
        key: ViewerKey,
        kind: MessageKind,
        payload: &[u8],
    ) -> Result<(), Refusal> {
        match plan::ClientFrame::decode(kind, payload) {
            plan::ClientFrame::Input(bytes) => self.handle_plain(key, &bytes),
            plan::ClientFrame::Resize(size) => self.handle_resize(key, size),
            plan::ClientFrame::Ping => Ok(()),
            plan::ClientFrame::Ignored => {
                self.metrics.unknown_frames += 1;
                Ok(())
            }
        }
    }

    fn handle_numbered(
        &mut self,
        key: ViewerKey,
        number: InputNumber,
        bytes: &[u8],
    ) -> Result<(), Refusal> {
        if self.was_demoted(key) {
            return Ok(());
        }
        let session = self.may_type(key)?;
        let viewer = &self.viewers[key];
        let Some(slot) = viewer.input.slot else {
            return Err(Refusal::new(CloseCode::BAD_FRAME, "expected a client id in hello"));
        };
        let memory = &self.sessions[session].memory;
        let accepted = memory.accepted(slot);
        match number.admit(accepted) {
            Admission::Duplicate => {
                // It may have come on an earlier connection of this client, which was read after
                // this one was welcomed; only this one still waits to hear of it.
                let viewer = &mut self.viewers[key];
                viewer.input.accepted = viewer.input.accepted.max(accepted);
                viewer.notices.input_ack = true;
                self.serve(key);
                return Ok(());
            }
            Admission::SkipsAhead => {
                return Err(Refusal::new(CloseCode::BAD_FRAME, "expected the next input number"));
            }
            Admission::Next => {}
        }
        let written = memory.partial(slot).min(bytes.len());
        if !self.handle_typist(key, session) {
            return Ok(());
        }
        let source = Source::Numbered(key, slot, number);
        self.take_keystroke(session, source, &bytes[written..])
    }

    fn handle_plain(&mut self, key: ViewerKey, bytes: &[u8]) -> Result<(), Refusal> {
        let Ok(session) = self.may_type(key) else {
            return Ok(()); // as ttyd does without -W
        };
        let now = self.clock.instant(self.now);
        if bytes.is_empty() || self.viewers[key].replies.handle_input(bytes, now) == Verdict::Drop {
            return Ok(());
        }
        if !self.handle_typist(key, session) {
            return Ok(());
        }
        self.take_keystroke(session, Source::Plain(key), bytes)
    }

    /// The session that a viewer may type into.
    fn may_type(&self, key: ViewerKey) -> Result<usize, Refusal> {
        let viewer = &self.viewers[key];
        match viewer.session {
            Some(session) if viewer.role.may_type() => Ok(session),
            _ => Err(Refusal::new(CloseCode::FORBIDDEN, "observers may not type or resize")),
        }
    }

    /// Whether a viewer could type and may no more.
    fn was_demoted(&self, key: ViewerKey) -> bool {
        let viewer = &self.viewers[key];
        viewer.demoted && !viewer.role.may_type()
    }

    fn handle_resize(&mut self, key: ViewerKey, size: WindowSize) -> Result<(), Refusal> {
        if self.was_demoted(key) {
            return Ok(());
        }
        let session = match self.may_type(key) {
            Ok(session) => session,
            Err(refusal) if self.viewers[key].protocol == ViewerProtocol::Hither => {
                return Err(refusal);
            }
            Err(_) => return Ok(()),
        };
        self.viewers[key].window = Some(size);
        self.claim_size(key, session);
        Ok(())
    }

    fn handle_ack(&mut self, key: ViewerKey, offset: hither_core::Offset) -> Result<(), Refusal> {
        let now = self.now;
        let viewer = &mut self.viewers[key];
        let Some(cursor) = &mut viewer.cursor else { return Ok(()) };
        match cursor.handle_ack(offset, now) {
            Ok(()) => {
                self.serve(key);
                Ok(())
            }
            // A pong from before a skip is not the peer's mistake.
            Err(_) if viewer.protocol != ViewerProtocol::Hither => Ok(()),
            Err(error) => Err(Refusal::new(CloseCode::BAD_FRAME, error)),
        }
    }
}
