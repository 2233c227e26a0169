//! Frame headers (RFC 6455 section 5.2).

use super::{ProtocolError, mask_in_place};
use crate::InlineBytes;

/// A frame header ready to be sent: 2 to 14 bytes.
pub type Header = InlineBytes<14>;

/// Meaning of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// Continues a fragmented message.
    Continuation,
    /// A message of UTF-8 text, or its first fragment.
    Text,
    /// A message of bytes, or its first fragment.
    Binary,
    /// Starts or answers the closing handshake.
    Close,
    /// Asks for a pong.
    Ping,
    /// Answers a ping.
    Pong,
}

/// Which side of the connection the code is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Receives masked frames, sends plain ones.
    Server,
    /// Receives plain frames, sends masked ones.
    Client,
}

/// A header that was received.
#[derive(Clone, Copy, Debug)]
pub(super) struct Received {
    pub(super) opcode: Opcode,
    pub(super) fin: bool,
    pub(super) mask: [u8; 4],
    /// Length of the header itself.
    pub(super) header_len: usize,
    pub(super) payload_len: u64,
}

const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;

/// The header of an unfragmented frame. With a `mask`, the payload has to be masked with it too.
#[must_use]
#[inline]
pub fn encode_header(opcode: Opcode, payload_len: usize, mask: Option<[u8; 4]>) -> Header {
    let mut header = Header::new();
    push_header(&mut header, opcode, payload_len, mask);
    header
}

/// Appends a whole unfragmented frame whose payload is `parts` one after the other.
pub fn append_frame(out: &mut Vec<u8>, opcode: Opcode, parts: &[&[u8]], mask: Option<[u8; 4]>) {
    let payload_len = parts.iter().map(|part| part.len()).sum();
    out.extend_from_slice(encode_header(opcode, payload_len, mask).as_bytes());
    let start = out.len();
    for part in parts {
        out.extend_from_slice(part);
    }
    if let Some(key) = mask {
        mask_in_place(&mut out[start..], key, 0);
    }
}

/// Appends a frame header to bytes that have room for 14 more.
#[inline]
pub(crate) fn push_header<const CAPACITY: usize>(
    out: &mut InlineBytes<CAPACITY>,
    opcode: Opcode,
    payload_len: usize,
    mask: Option<[u8; 4]>,
) {
    let first = FIN | opcode.bits();
    let masked = if mask.is_some() { MASKED } else { 0 };
    if let Ok(len @ 0..=125) = u8::try_from(payload_len) {
        out.push(&[first, masked | len]);
    } else if let Ok(len) = u16::try_from(payload_len) {
        let [high, low] = len.to_be_bytes();
        out.push(&[first, masked | 126, high, low]);
    } else {
        out.push(&[first, masked | 127]);
        out.push(&(payload_len as u64).to_be_bytes());
    }
    if let Some(key) = mask {
        out.push(&key);
    }
}

impl Opcode {
    const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    const fn from_bits(bits: u8) -> Result<Self, ProtocolError> {
        match bits {
            0x0 => Ok(Self::Continuation),
            0x1 => Ok(Self::Text),
            0x2 => Ok(Self::Binary),
            0x8 => Ok(Self::Close),
            0x9 => Ok(Self::Ping),
            0xA => Ok(Self::Pong),
            _ => Err(ProtocolError::ReservedOpcode(bits)),
        }
    }

    pub(super) const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

impl Received {
    /// Reads the header at the start of `buf`, or says how many bytes are missing at least.
    #[inline]
    pub(super) fn parse(buf: &[u8], side: Side) -> Result<Result<Self, usize>, ProtocolError> {
        let &[first, second, ..] = buf else {
            return Ok(Err(2 - buf.len()));
        };
        let opcode = check_start(first, second, side)?;
        let mask_len = match side {
            Side::Server => 4,
            Side::Client => 0,
        };
        let length_len = match second & !MASKED {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let header_len = 2 + length_len + mask_len;
        let Some(rest) = buf.get(2..header_len) else {
            return Ok(Err(header_len - buf.len()));
        };
        let (length, key) = rest.split_at(length_len);
        Ok(Ok(Self {
            opcode,
            fin: first & FIN != 0,
            mask: key.try_into().unwrap_or_default(),
            header_len,
            payload_len: payload_len(second & !MASKED, length)?,
        }))
    }
}

/// Everything that the first two bytes can have wrong.
#[inline]
fn check_start(first: u8, second: u8, side: Side) -> Result<Opcode, ProtocolError> {
    if first & RESERVED != 0 {
        return Err(ProtocolError::ReservedBits);
    }
    let opcode = Opcode::from_bits(first & 0x0F)?;
    if opcode.is_control() {
        if first & FIN == 0 {
            return Err(ProtocolError::ControlFragmented);
        }
        if second & !MASKED > 125 {
            return Err(ProtocolError::ControlTooLong);
        }
    }
    match (side, second & MASKED != 0) {
        (Side::Server, false) => Err(ProtocolError::Unmasked),
        (Side::Client, true) => Err(ProtocolError::Masked),
        (Side::Server, true) | (Side::Client, false) => Ok(opcode),
    }
}

#[inline]
fn payload_len(short: u8, extended: &[u8]) -> Result<u64, ProtocolError> {
    let (len, shorter_max) = if let Ok(bytes) = extended.try_into() {
        (u64::from(u16::from_be_bytes(bytes)), 125)
    } else if let Ok(bytes) = extended.try_into() {
        (u64::from_be_bytes(bytes), u64::from(u16::MAX))
    } else {
        return Ok(u64::from(short));
    };
    if len > i64::MAX.unsigned_abs() {
        return Err(ProtocolError::LengthTooBig);
    }
    if len <= shorter_max {
        return Err(ProtocolError::LengthNotMinimal);
    }
    Ok(len)
}
