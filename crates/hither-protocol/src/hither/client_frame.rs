//! Frames from client to server.

use hither_core::{InputNumber, Offset, WindowSize};

use super::fields::Fields;
use super::{FrameError, HELLO_BYTES_MAX, Hello, INPUT_BYTES_MAX, input_header, kind};

/// A frame from client to server: `docs/protocol.md` section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientFrame<'a> {
    /// Attaches, before anything else.
    Hello(Hello),
    /// Typed or pasted bytes.
    Input {
        /// Counts the input frames of the client id; never zero.
        number: InputNumber,
        /// 1 to 65,536 bytes.
        bytes: &'a [u8],
    },
    /// The client's window has this size now, clamped to the limits.
    Resize(WindowSize),
    /// Every byte of output before this offset has been processed.
    Ack(Offset),
    /// Wants a pong with the same 64 bits.
    Ping(u64),
    /// A frame of a type that a later version knows: to be ignored and counted.
    Unknown(u8),
}

impl<'a> ClientFrame<'a> {
    /// Reads the frame that a message is.
    ///
    /// # Errors
    /// When the message is empty or its body malformed; the connection is closed with 4400.
    #[inline]
    pub fn decode(message: &'a [u8]) -> Result<Self, FrameError> {
        let (&first, body) = message.split_first().ok_or(FrameError::Empty)?;
        match first {
            kind::INPUT => decode_input(body),
            kind::ACK => decode_ack(body),
            _ => Self::decode_rare(first, body),
        }
    }

    fn decode_rare(first: u8, body: &'a [u8]) -> Result<Self, FrameError> {
        match first {
            kind::HELLO => decode_hello(body),
            kind::RESIZE => decode_resize(body),
            kind::PING => {
                let mut fields = Fields::new("ping", body);
                let token = fields.u64()?;
                fields.end().map(|()| Self::Ping(token))
            }
            _ => Ok(Self::Unknown(first)),
        }
    }

    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hello(hello) => {
                out.push(kind::HELLO);
                hello.encode(out);
            }
            Self::Input { number, bytes } => {
                out.extend_from_slice(&input_header(*number));
                out.extend_from_slice(bytes);
            }
            Self::Resize(size) => {
                out.push(kind::RESIZE);
                out.extend_from_slice(&size.cols().to_be_bytes());
                out.extend_from_slice(&size.rows().to_be_bytes());
            }
            Self::Ack(offset) => {
                out.push(kind::ACK);
                out.extend_from_slice(&offset.0.to_be_bytes());
            }
            Self::Ping(token) => {
                out.push(kind::PING);
                out.extend_from_slice(&token.to_be_bytes());
            }
            Self::Unknown(kind) => out.push(*kind),
        }
    }
}

#[inline]
fn decode_input(body: &[u8]) -> Result<ClientFrame<'_>, FrameError> {
    let mut fields = Fields::new("input", body);
    let number = InputNumber(fields.number("input number")?);
    if number == InputNumber(0) {
        return Err(FrameError::OutOfRange { field: "input number", expected: "at least 1" });
    }
    let bytes = fields.bytes(1, INPUT_BYTES_MAX)?;
    Ok(ClientFrame::Input { number, bytes })
}

#[inline]
fn decode_ack(body: &[u8]) -> Result<ClientFrame<'_>, FrameError> {
    let mut fields = Fields::new("ack", body);
    let offset = Offset(fields.number("offset")?);
    fields.end().map(|()| ClientFrame::Ack(offset))
}

fn decode_hello(body: &[u8]) -> Result<ClientFrame<'_>, FrameError> {
    let body = Fields::new("hello", body).bytes(0, HELLO_BYTES_MAX - 1)?;
    Hello::decode(body).map(ClientFrame::Hello)
}

fn decode_resize(body: &[u8]) -> Result<ClientFrame<'_>, FrameError> {
    let mut fields = Fields::new("resize", body);
    let size = WindowSize::clamped(u32::from(fields.u16()?), u32::from(fields.u16()?));
    fields.end().map(|()| ClientFrame::Resize(size))
}
