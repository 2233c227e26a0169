//! Frames from server to client.

use hither_core::{InputNumber, Offset, ViewerId, WindowSize};

use super::fields::{Fields, check_number};
use super::{
    Event, Exit, FrameError, OUTPUT_BYTES_MAX, SNAPSHOT_BYTES_MAX, TermiosFlags, Welcome,
    WireError, kind, output_header, snapshot_header,
};

/// A frame from server to client: `docs/protocol.md` section 5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerFrame<'a> {
    /// Answers `hello`.
    Welcome(Welcome),
    /// Bytes that the program wrote.
    Output {
        /// Of the first byte.
        offset: Offset,
        /// 1 to 65,536 bytes.
        bytes: &'a [u8],
    },
    /// Rebuilds the screen on a reset terminal.
    Snapshot {
        /// Where the output goes on.
        offset: Offset,
        /// Size of the terminal.
        size: WindowSize,
        /// At most 1 MiB.
        bytes: &'a [u8],
    },
    /// Output that is not sent on this connection.
    Gap {
        /// Offset of the first byte that is skipped.
        from: Offset,
        /// Offset of the first byte that is not; always behind `from`.
        to: Offset,
    },
    /// How far the input has come.
    InputAck {
        /// Highest number written to the PTY whole.
        accepted: InputNumber,
        /// Highest number that the program has had for a while; never above `accepted`.
        settled: InputNumber,
    },
    /// The window size of the session.
    Size {
        /// To be shown exactly.
        size: WindowSize,
        /// Who set it.
        owner: ViewerId,
    },
    /// What the line discipline does with input.
    Termios(TermiosFlags),
    /// Something happened.
    Event(Event),
    /// Answers a ping, with its token.
    Pong(u64),
    /// The session ended; the last frame.
    Exit(Exit),
    /// The server gives up on the connection.
    Error(WireError),
    /// A frame of a type that a later version knows: to be ignored and counted.
    Unknown(u8),
}

impl<'a> ServerFrame<'a> {
    /// Reads the frame that a message is.
    ///
    /// # Errors
    /// When the message is empty or its body malformed; the connection is closed with 4400.
    #[inline]
    pub fn decode(message: &'a [u8]) -> Result<Self, FrameError> {
        let (&first, body) = message.split_first().ok_or(FrameError::Empty)?;
        match first {
            kind::OUTPUT => decode_output(body),
            kind::SNAPSHOT => decode_snapshot(body),
            kind::GAP => decode_gap(body),
            kind::INPUT_ACK => decode_input_ack(body),
            kind::SIZE => decode_size(body),
            kind::TERMIOS => decode_termios(body),
            kind::PONG => decode_pong(body),
            kind::WELCOME => Welcome::decode(body).map(Self::Welcome),
            kind::EVENT => Event::decode(body).map(Self::Event),
            kind::EXIT => Exit::decode(body).map(Self::Exit),
            kind::ERROR => WireError::decode(body).map(Self::Error),
            _ => Ok(Self::Unknown(first)),
        }
    }

    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Output { offset, bytes } => {
                out.extend_from_slice(&output_header(*offset));
                out.extend_from_slice(bytes);
            }
            Self::Snapshot { offset, size, bytes } => {
                out.extend_from_slice(&snapshot_header(*offset, *size));
                out.extend_from_slice(bytes);
            }
            Self::Gap { from, to } => push_numbers(out, kind::GAP, [from.0, to.0]),
            Self::InputAck { accepted, settled } => {
                push_numbers(out, kind::INPUT_ACK, [accepted.0, settled.0]);
            }
            Self::Size { size, owner } => push_size(out, *size, *owner),
            Self::Termios(flags) => out.extend_from_slice(&[kind::TERMIOS, flags.bits()]),
            Self::Pong(token) => push_numbers(out, kind::PONG, [*token]),
            Self::Welcome(body) => push_json(out, kind::WELCOME, |out| body.encode(out)),
            Self::Event(body) => push_json(out, kind::EVENT, |out| body.encode(out)),
            Self::Exit(body) => push_json(out, kind::EXIT, |out| body.encode(out)),
            Self::Error(body) => push_json(out, kind::ERROR, |out| body.encode(out)),
            Self::Unknown(kind) => out.push(*kind),
        }
    }
}

#[inline]
fn decode_output(body: &[u8]) -> Result<ServerFrame<'_>, FrameError> {
    let mut fields = Fields::new("output", body);
    let offset = Offset(fields.number("offset")?);
    let bytes = fields.bytes(1, OUTPUT_BYTES_MAX)?;
    check_number("end of output", offset.plus(bytes.len() as u64).0)?;
    Ok(ServerFrame::Output { offset, bytes })
}

fn decode_snapshot(body: &[u8]) -> Result<ServerFrame<'_>, FrameError> {
    let mut fields = Fields::new("snapshot", body);
    Ok(ServerFrame::Snapshot {
        offset: Offset(fields.number("offset")?),
        size: fields.size()?,
        bytes: fields.bytes(0, SNAPSHOT_BYTES_MAX)?,
    })
}

fn decode_gap(body: &[u8]) -> Result<ServerFrame<'_>, FrameError> {
    let mut fields = Fields::new("gap", body);
    let from = Offset(fields.number("from")?);
    let to = Offset(fields.number("to")?);
    fields.end()?;
    if from < to {
        Ok(ServerFrame::Gap { from, to })
    } else {
        Err(FrameError::OutOfRange { field: "end of gap", expected: "behind its start" })
    }
}

fn decode_input_ack(body: &[u8]) -> Result<ServerFrame<'_>, FrameError> {
    let mut fields = Fields::new("input-ack", body);
    let accepted = InputNumber(fields.number("accepted")?);
    let settled = InputNumber(fields.number("settled")?);
    fields.end()?;
    if settled <= accepted {
        Ok(ServerFrame::InputAck { accepted, settled })
    } else {
        Err(FrameError::OutOfRange { field: "settled", expected: "at most accepted" })
    }
}

fn decode_size(body: &[u8]) -> Result<ServerFrame<'_>, FrameError> {
    let mut fields = Fields::new("size", body);
    let size = fields.size()?;
    let owner = ViewerId(fields.number("owner")?);
    fields.end().map(|()| ServerFrame::Size { size, owner })
}

fn decode_termios(body: &[u8]) -> Result<ServerFrame<'_>, FrameError> {
    let mut fields = Fields::new("termios", body);
    let flags = TermiosFlags::from_bits(fields.u8()?);
    fields.end().map(|()| ServerFrame::Termios(flags))
}

fn decode_pong(body: &[u8]) -> Result<ServerFrame<'_>, FrameError> {
    let mut fields = Fields::new("pong", body);
    let token = fields.u64()?;
    fields.end().map(|()| ServerFrame::Pong(token))
}

fn push_numbers<const N: usize>(out: &mut Vec<u8>, kind: u8, numbers: [u64; N]) {
    out.push(kind);
    for number in numbers {
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn push_size(out: &mut Vec<u8>, size: WindowSize, owner: ViewerId) {
    out.push(kind::SIZE);
    out.extend_from_slice(&size.cols().to_be_bytes());
    out.extend_from_slice(&size.rows().to_be_bytes());
    out.extend_from_slice(&owner.0.to_be_bytes());
}

fn push_json(out: &mut Vec<u8>, kind: u8, encode: impl FnOnce(&mut Vec<u8>)) {
    out.push(kind);
    encode(out);
}
