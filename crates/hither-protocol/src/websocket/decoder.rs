//! Reading frames out of a buffer.

use super::close::{CloseFrame, decode_close};
use super::fragments::Fragments;
use super::header::Received;
use super::{Opcode, ProtocolError, Side, mask_in_place};

/// Reads the frames of one connection and joins fragmented messages.
///
/// A message in one frame, which is what everybody sends, is unmasked where it lies and handed out
/// as a slice of the caller's buffer. Only fragments are copied.
///
/// ```
/// use hither_protocol::websocket::{Decoder, Limits, Side, Step};
///
/// let limits = Limits { message_max: 1024, fragments_max: 64 };
/// let mut decoder = Decoder::new(Side::Client, limits);
/// let mut received = *b"\x82\x02hi\x82"; // a message, and the start of another one
/// let mut start = 0;
/// loop {
///     match decoder.next(&mut received[start..])? {
///         Step::Need(more) => break assert_eq!(more, 1),
///         Step::Message { payload, consumed, .. } => {
///             assert_eq!(payload, b"hi");
///             start += consumed;
///         }
///         Step::Control { consumed, .. } | Step::Progress { consumed } => start += consumed,
///     }
/// }
/// # Ok::<(), hither_protocol::websocket::ProtocolError>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    side: Side,
    limits: Limits,
    fragments: Fragments,
}

/// How much a peer may send at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in one message, whole or in fragments.
    pub message_max: usize,
    /// Frames in one message.
    pub fragments_max: u32,
}

/// Whether a message is text or bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// The payload is valid UTF-8.
    Text,
    /// The payload is any bytes.
    Binary,
}

/// What the bytes at the start of the buffer are.
///
/// `consumed` counts the bytes that the frame took from the start of the buffer.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Not a whole frame: at least this many more bytes are needed, in the same buffer behind the
    /// ones that are there. Nothing was changed; asking again before they came is harmless.
    Need(usize),
    /// A whole message.
    Message {
        /// Text or bytes.
        kind: MessageKind,
        /// The message, unmasked.
        payload: &'a mut [u8],
        /// Bytes to skip.
        consumed: usize,
    },
    /// A control frame. It may come between the fragments of a message.
    Control {
        /// The frame.
        control: Control<'a>,
        /// Bytes to skip.
        consumed: usize,
    },
    /// A fragment of a message was stored.
    Progress {
        /// Bytes to skip.
        consumed: usize,
    },
}

/// A control frame (RFC 6455 section 5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control<'a> {
    /// Wants a pong with the same payload, at most 125 bytes.
    Ping(&'a [u8]),
    /// Answers a ping, or nothing at all.
    Pong(&'a [u8]),
    /// The last frame: whatever the peer sends after it is to be ignored.
    Close(CloseFrame<'a>),
}

impl Decoder {
    /// A decoder for the frames that `side` receives.
    #[must_use]
    pub const fn new(side: Side, limits: Limits) -> Self {
        Self { side, limits, fragments: Fragments::new() }
    }

    /// Bytes of memory that fragments of an unfinished message take.
    #[must_use]
    pub const fn held_bytes(&self) -> usize {
        self.fragments.held_bytes()
    }

    /// Reads the frame at the start of `buf` and unmasks it there.
    ///
    /// A header is checked as soon as it is there, so a frame over a limit is refused before its
    /// payload is waited for. A frame that does not fit the buffer costs its header again on each
    /// call and nothing else. After a [`Control::Close`] the decoder must not be called again.
    ///
    /// # Errors
    /// When the peer violates RFC 6455 or a limit; the decoder must not be called again.
    #[inline]
    pub fn next<'a>(&'a mut self, buf: &'a mut [u8]) -> Result<Step<'a>, ProtocolError> {
        self.fragments.forget_delivered();
        let header = match Received::parse(buf, self.side)? {
            Ok(header) => header,
            Err(more) => return Ok(Step::Need(more)),
        };
        self.check_header(&header)?;
        let consumed = header.header_len + bounded_len(header.payload_len);
        let available = buf.len();
        let Some(payload) = buf.get_mut(header.header_len..consumed) else {
            return Ok(Step::Need(consumed - available));
        };
        if self.side == Side::Server {
            mask_in_place(payload, header.mask, 0);
        }
        match header.opcode {
            Opcode::Binary if header.fin => {
                Ok(Step::Message { kind: MessageKind::Binary, payload, consumed })
            }
            Opcode::Text if header.fin => whole_text(payload, consumed),
            Opcode::Binary => self.first_fragment(MessageKind::Binary, payload, consumed),
            Opcode::Text => self.first_fragment(MessageKind::Text, payload, consumed),
            Opcode::Continuation => self.next_fragment(header.fin, payload, consumed),
            Opcode::Ping => Ok(control(Control::Ping(payload), consumed)),
            Opcode::Pong => Ok(control(Control::Pong(payload), consumed)),
            Opcode::Close => Ok(control(Control::Close(decode_close(payload)?), consumed)),
        }
    }

    /// What depends on the frames before this one, and the limits.
    #[inline]
    fn check_header(&self, header: &Received) -> Result<(), ProtocolError> {
        let stored = match (header.opcode, self.fragments.is_collecting()) {
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => return Ok(()),
            (Opcode::Text | Opcode::Binary, false) => 0,
            (Opcode::Text | Opcode::Binary, true) => return Err(ProtocolError::Unfinished),
            (Opcode::Continuation, false) => return Err(ProtocolError::NothingToContinue),
            (Opcode::Continuation, true) => {
                self.fragments.check_count(self.limits)?;
                self.fragments.len() as u64
            }
        };
        let len = stored + header.payload_len;
        if len > self.limits.message_max as u64 {
            return Err(ProtocolError::MessageTooBig { len, max: self.limits.message_max });
        }
        Ok(())
    }

    #[cold]
    fn first_fragment(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
        consumed: usize,
    ) -> Result<Step<'_>, ProtocolError> {
        self.fragments.start(kind);
        self.fragments.push(payload, self.limits)?;
        Ok(Step::Progress { consumed })
    }

    #[cold]
    fn next_fragment(
        &mut self,
        fin: bool,
        payload: &[u8],
        consumed: usize,
    ) -> Result<Step<'_>, ProtocolError> {
        self.fragments.push(payload, self.limits)?;
        if !fin {
            return Ok(Step::Progress { consumed });
        }
        let (kind, payload) = self.fragments.finish()?;
        Ok(Step::Message { kind, payload, consumed })
    }
}

/// A length that was compared with a limit of type `usize`.
#[inline]
fn bounded_len(len: u64) -> usize {
    usize::try_from(len).expect("limits are of type usize")
}

#[inline]
fn whole_text(payload: &mut [u8], consumed: usize) -> Result<Step<'_>, ProtocolError> {
    if std::str::from_utf8(payload).is_err() {
        return Err(ProtocolError::InvalidUtf8);
    }
    Ok(Step::Message { kind: MessageKind::Text, payload, consumed })
}

const fn control(control: Control<'_>, consumed: usize) -> Step<'_> {
    Step::Control { control, consumed }
}
