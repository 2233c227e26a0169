//! One WebSocket, driven by the caller.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use hither_core::WindowSize;
use hither_protocol::hither::{FRAGMENTS_MAX, SERVER_MESSAGE_BYTES_MAX};
use hither_protocol::websocket::{
    CloseCode, Control, Decoder, Limits, Opcode, ProtocolError, Side, Step, append_frame,
    encode_close,
};
use thiserror::Error;

use crate::stream::Stream;
use crate::{AttachError, Attachment, BacklogFull, Event};

/// Most that is read at once.
const READ_MAX: usize = 64 * 1024;
const LIMITS: Limits =
    Limits { message_max: SERVER_MESSAGE_BYTES_MAX, fragments_max: FRAGMENTS_MAX };

/// A connection to a session.
///
/// For blocking use call [`receive`](Self::receive) in a loop. For an event loop make it
/// non-blocking, wait for its descriptor to be readable, or writable too while
/// [`wants_to_write`](Self::wants_to_write), and call [`receive`](Self::receive) and
/// [`flush`](Self::flush): they do what can be done at once.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    decoder: Decoder,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
}

/// What a read has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Events were handed out, if whole messages came.
    Read,
    /// Nothing is there now (non-blocking use only).
    NothingThere,
    /// The server has closed; the code says whether to come back.
    Closed(Option<CloseCode>),
}

/// Why a connection is useless.
#[derive(Debug, Error)]
pub enum ConnectionError {
    /// It failed: reconnect and resume.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// The server violates RFC 6455.
    #[error("the server violates RFC 6455: {0}")]
    WebSocket(#[from] ProtocolError),
    /// The server violates `hither.v1`.
    #[error("the server violates hither.v1: {0}")]
    Attach(#[from] AttachError),
    /// Too much input waits to be accepted.
    #[error(transparent)]
    Backlog(#[from] BacklogFull),
}

impl Connection {
    pub(crate) fn new(stream: Stream, inbox: Vec<u8>) -> Self {
        Self { stream, decoder: Decoder::new(Side::Client, LIMITS), inbox, outbox: Vec::new() }
    }

    pub(crate) fn say_hello(&mut self, attachment: &mut Attachment) -> io::Result<()> {
        attachment.handle_open(&mut self.outbox);
        self.flush()
    }

    /// Whether calls return at once when nothing can be done.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.stream.set_nonblocking(nonblocking)
    }

    /// Whether something waits for the kernel to take more (non-blocking use only).
    #[must_use]
    pub fn wants_to_write(&self) -> bool {
        !self.outbox.is_empty() || self.stream.holds_back()
    }

    /// Reads once and hands each message to `handle`. When it returns, everything handed out counts
    /// as processed and is acknowledged as far as that is due.
    ///
    /// # Errors
    /// When the connection fails or the server breaks a protocol, which it is told as far as
    /// that can be sent. Reconnect with the same attachment.
    pub fn receive(
        &mut self,
        attachment: &mut Attachment,
        mut handle: impl FnMut(Event<'_>),
    ) -> Result<Progress, ConnectionError> {
        let result = self.advance(attachment, &mut handle);
        match &result {
            Ok(Progress::Closed(code)) => self.say_goodbye(*code),
            Ok(Progress::Read | Progress::NothingThere) => {
                attachment.acknowledge(&mut self.outbox);
                self.flush()?;
            }
            Err(ConnectionError::WebSocket(violation)) => {
                self.say_goodbye(Some(violation.close_code()));
            }
            Err(ConnectionError::Attach(_)) => self.say_goodbye(Some(CloseCode::BAD_FRAME)),
            Err(ConnectionError::Io(_) | ConnectionError::Backlog(_)) => {}
        }
        result
    }

    fn advance(
        &mut self,
        attachment: &mut Attachment,
        handle: &mut impl FnMut(Event<'_>),
    ) -> Result<Progress, ConnectionError> {
        // What was read ahead with the answer to the handshake is there without a read.
        let closed = match self.hand_out(attachment, handle)? {
            (0, None) => match self.read()? {
                Progress::Read => self.hand_out(attachment, handle)?.1,
                nothing @ (Progress::NothingThere | Progress::Closed(_)) => Some(nothing),
            },
            (_, closed) => closed,
        };
        Ok(closed.unwrap_or(Progress::Read))
    }

    /// Answers a close frame, or says why the connection is failed (RFC 6455 sections 5.5.1 and
    /// 7.1.7). It matters no more whether that arrives: the server may have gone.
    fn say_goodbye(&mut self, code: Option<CloseCode>) {
        self.append_close(code);
        self.flush().ok();
    }

    fn append_close(&mut self, code: Option<CloseCode>) {
        let body = code.map(|code| encode_close(code, ""));
        let body = body.as_ref().map_or(&[][..], |body| body.as_bytes());
        append_frame(&mut self.outbox, Opcode::Close, &[body], Some([0; 4]));
    }

    /// Types `input`.
    ///
    /// # Errors
    /// When the connection fails, or too much input waits to be accepted.
    pub fn type_input(
        &mut self,
        attachment: &mut Attachment,
        input: &[u8],
    ) -> Result<(), ConnectionError> {
        attachment.type_input(input, &mut self.outbox)?;
        Ok(self.flush()?)
    }

    /// Says that the window has another size.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn resize(&mut self, attachment: &mut Attachment, size: WindowSize) -> io::Result<()> {
        attachment.resize(size, &mut self.outbox);
        self.flush()
    }

    /// Asks for a pong.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn ping(&mut self, attachment: &mut Attachment, token: u64) -> io::Result<()> {
        attachment.ping(token, &mut self.outbox);
        self.flush()
    }

    /// Detaches: says goodbye and closes. The session lives on.
    ///
    /// # Errors
    /// When the goodbye cannot be sent; the connection is closed all the same.
    pub fn detach(mut self) -> io::Result<()> {
        self.append_close(Some(CloseCode::GOING_AWAY));
        self.flush()?;
        self.stream.say_end();
        self.flush()
    }

    /// Sends what the kernel takes.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn flush(&mut self) -> io::Result<()> {
        let mut sent = 0;
        let result = loop {
            let rest = &self.outbox[sent..];
            let step = match rest.len() {
                0 => self.stream.flush().map(|()| 0),
                _ => self.stream.write(rest),
            };
            match step {
                Ok(0) if rest.is_empty() => break Ok(()),
                Ok(len) => sent += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.outbox.drain(..sent);
        result
    }

    fn read(&mut self) -> io::Result<Progress> {
        let len = self.inbox.len();
        self.inbox.resize(len + READ_MAX, 0);
        let read = self.stream.read(&mut self.inbox[len..]);
        self.inbox.truncate(len + read.as_ref().map_or(0, |read| *read));
        match read {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => Ok(Progress::Read),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Progress::NothingThere),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Progress::NothingThere),
            Err(error) => Err(error),
        }
    }

    /// Hands out the whole messages in the inbox: how many, and whether the last was a close.
    fn hand_out(
        &mut self,
        attachment: &mut Attachment,
        handle: &mut impl FnMut(Event<'_>),
    ) -> Result<(usize, Option<Progress>), ConnectionError> {
        let (mut used, mut messages) = (0, 0);
        let mut closed = None;
        while closed.is_none() {
            used += match self.decoder.next(&mut self.inbox[used..])? {
                Step::Need(_) => break,
                Step::Progress { consumed } => consumed,
                Step::Message { payload, consumed, .. } => {
                    handle(attachment.handle_message(payload, &mut self.outbox)?);
                    messages += 1;
                    consumed
                }
                Step::Control { control, consumed } => {
                    match control {
                        Control::Ping(token) => {
                            append_frame(&mut self.outbox, Opcode::Pong, &[token], Some([0; 4]));
                        }
                        Control::Pong(_) => {}
                        Control::Close(close) => closed = Some(Progress::Closed(close.code)),
                    }
                    consumed
                }
            };
        }
        self.inbox.drain(..used);
        Ok((messages, closed))
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
