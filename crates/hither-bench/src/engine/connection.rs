//! One connection of the generator.

use std::io;

use hither_protocol::websocket::{
    Control, Decoder, Limits, Opcode, ProtocolError, Side, Step, append_frame,
};
use serde::Deserialize;
use thiserror::Error;

use super::channel::{Channel, TLS_ROOM};
use super::dial::{Dial, Stage};
use crate::link::TokenBucket;
use crate::stats::Moment;
use crate::wire::{Dialect, Incoming, parse_response};

/// Longest message of a server: a snapshot of 1 MiB with room to spare.
const LIMITS: Limits = Limits { message_max: 4 << 20, fragments_max: 1024 };

/// Why a connection ended.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    #[error("the server closed the connection without a close frame")]
    Cut,
    #[error("the server closed the connection with code {0:?}")]
    Closed(Option<u16>),
    #[error("the server answered {0} to {1}")]
    Status(u16, &'static str),
    #[error("the server's answer is not HTTP: {0}")]
    Http(#[from] httparse::Error),
    #[error("the answer to POST /api/sessions has no id")]
    NoSession,
    #[error("the server violates RFC 6455: {0}")]
    WebSocket(#[from] ProtocolError),
    #[error("the server refuses: {0}")]
    Refused(String),
}

/// What the bytes of one read meant, for the load.
pub(super) trait Sink {
    fn open(&mut self);
    fn output(&mut self, bytes: &[u8]);
    fn skip(&mut self, bytes: u64);
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) channel: Channel,
    pub(super) limiter: Option<TokenBucket>,
    stage: Stage,
    nonce: u64,
    /// The session that was made for this connection.
    session: Option<String>,
    dialect: Dialect,
    decoder: Decoder,
    /// The start of a frame or response whose rest has not come.
    partial: Vec<u8>,
    outbox: Vec<u8>,
    /// How much of the outbox the kernel has taken.
    sent: usize,
    scratch: Vec<u8>,
    last_read: usize,
}

impl Connection {
    /// A connection on a channel that may still be connecting.
    pub(super) fn new(channel: Channel, dial: &Dial, nonce: u64, now: Moment) -> Self {
        let (stage, request) = dial.first_request(nonce);
        Self {
            channel,
            limiter: dial.reads_per_second.map(|rate| TokenBucket::new(rate, now)),
            stage,
            nonce,
            session: None,
            dialect: dial.dialect(nonce),
            decoder: Decoder::new(Side::Client, LIMITS),
            partial: Vec::new(),
            outbox: request.into_bytes(),
            sent: 0,
            scratch: Vec::new(),
            last_read: 0,
        }
    }

    /// The kernel has connected the socket. Where nothing is said first, that opens it.
    pub(super) fn handle_connected(&mut self, sink: &mut impl Sink) {
        if self.stage == Stage::Connecting {
            self.stage = Stage::Open;
            sink.open();
        }
    }

    /// Whether the last read brought more than people type.
    pub(super) const fn is_flooding(&self) -> bool {
        self.last_read >= 1024
    }

    /// The session that was made for it.
    pub(super) fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// Queues `input` as typed; it goes out with the next [`flush`](Self::flush).
    pub(super) fn type_input(&mut self, input: &[u8]) {
        self.dialect.type_input(input, &mut self.outbox);
    }

    /// Whether something waits until the kernel takes more.
    pub(super) fn has_unsent(&self) -> bool {
        !self.outbox.is_empty() || self.channel.holds_back()
    }

    /// Sends what the kernel takes.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.outbox.len() {
            match self.channel.write(&self.outbox[self.sent..]) {
                Ok(len) => self.sent += len,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.outbox.clear();
        self.sent = 0;
        self.channel.flush()
    }

    /// Reads once, into `buffer`, and tells `sink` what it meant. Gives how many bytes were read.
    pub(super) fn read(
        &mut self,
        dial: &Dial,
        buffer: &mut [u8],
        read_max: usize,
        sink: &mut impl Sink,
    ) -> Result<usize, Failure> {
        let carried = self.partial.len();
        let room = if self.channel.is_tls() { read_max.max(TLS_ROOM) } else { read_max };
        let end = buffer.len().min(carried + room);
        buffer[..carried].copy_from_slice(&self.partial);
        let len = match self.channel.read(&mut buffer[carried..end]) {
            Ok(0) => return Err(Failure::Cut),
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        self.last_read = len;
        let bytes = &mut buffer[..carried + len];
        let used = self.receive(dial, bytes, sink)?;
        self.partial.clear();
        self.partial.extend_from_slice(&bytes[used..]);
        Ok(len)
    }

    fn receive(
        &mut self,
        dial: &Dial,
        bytes: &mut [u8],
        sink: &mut impl Sink,
    ) -> Result<usize, Failure> {
        let mut used = 0;
        while self.stage != Stage::Open {
            let Some(len) = self.receive_response(dial, &bytes[used..])? else { return Ok(used) };
            used += len;
            if self.stage == Stage::Open {
                sink.open();
            }
        }
        if matches!(self.dialect, Dialect::Raw) {
            sink.output(&bytes[used..]);
            return Ok(bytes.len());
        }
        let frames = self.receive_frames(&mut bytes[used..], sink)?;
        self.dialect.acknowledge(&mut self.outbox);
        Ok(used + frames)
    }

    fn receive_response(&mut self, dial: &Dial, bytes: &[u8]) -> Result<Option<usize>, Failure> {
        let Some(response) = parse_response(bytes)? else { return Ok(None) };
        match (self.stage, response.status) {
            (Stage::Creating, 200..=299) => {
                let id = session_id(response.body).ok_or(Failure::NoSession)?;
                let request = dial.upgrade(Some(&id), self.nonce);
                self.session = Some(id);
                self.outbox.extend_from_slice(request.as_bytes());
                self.stage = Stage::Upgrading;
            }
            (Stage::Upgrading, 101) => {
                self.dialect.greet(&mut self.outbox);
                self.stage = Stage::Open;
            }
            (Stage::Creating, other) => return Err(Failure::Status(other, "POST /api/sessions")),
            (_, other) => return Err(Failure::Status(other, "the request for a WebSocket")),
        }
        Ok(Some(response.consumed))
    }

    fn receive_frames(&mut self, bytes: &mut [u8], sink: &mut impl Sink) -> Result<usize, Failure> {
        let mut used = 0;
        loop {
            match self.decoder.next(&mut bytes[used..])? {
                Step::Need(_) => return Ok(used),
                Step::Progress { consumed } => used += consumed,
                Step::Message { payload, consumed, .. } => {
                    match self.dialect.read(payload, &mut self.scratch) {
                        Incoming::Nothing => {}
                        Incoming::Output(bytes) | Incoming::Screen(bytes) => sink.output(bytes),
                        Incoming::Skipped(bytes) => sink.skip(bytes),
                        Incoming::Refused(why) => return Err(Failure::Refused(why)),
                    }
                    used += consumed;
                }
                Step::Control { control, consumed } => {
                    match control {
                        Control::Ping(payload) => {
                            append_frame(&mut self.outbox, Opcode::Pong, &[payload], Some([0; 4]));
                        }
                        Control::Pong(_) => {}
                        Control::Close(close) => {
                            return Err(Failure::Closed(close.code.map(|code| code.number())));
                        }
                    }
                    used += consumed;
                }
            }
        }
    }
}

fn session_id(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Session {
        id: String,
    }
    let start = body.iter().position(|byte| *byte == b'{')?;
    let mut sessions = serde_json::Deserializer::from_slice(&body[start..]).into_iter::<Session>();
    let id = sessions.next()?.ok()?.id;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    id.chars().all(plain).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_ids_are_read_with_and_without_chunks_and_go_into_no_header() {
        assert_eq!(session_id(br#"{"id":"abc","title":""}"#).as_deref(), Some("abc"));
        assert_eq!(session_id(b"c\r\n{\"id\":\"abc\"}\r\n0\r\n\r\n").as_deref(), Some("abc"));
        assert_eq!(session_id(br#"{"id":"a\r\nX: y"}"#), None);
        assert_eq!(session_id(br#"{"name":"abc"}"#), None);
    }
}
