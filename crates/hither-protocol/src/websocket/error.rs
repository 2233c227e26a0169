//! What a peer can do wrong.

use super::CloseCode;

/// A violation of RFC 6455 or of a limit. The connection cannot go on after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A client must mask every frame (section 5.1).
    #[error("frame from a client must be masked")]
    Unmasked,
    /// A server must not mask any frame (section 5.1).
    #[error("frame from a server must not be masked")]
    Masked,
    /// A reserved bit is set and no extension was negotiated (section 5.2).
    #[error("reserved bits must be zero")]
    ReservedBits,
    /// An opcode that is reserved (section 5.2).
    #[error("opcode {0:#x} is reserved")]
    ReservedOpcode(u8),
    /// A control frame of more than 125 bytes (section 5.5).
    #[error("control frame must be at most 125 bytes")]
    ControlTooLong,
    /// A control frame without the FIN bit (section 5.5).
    #[error("control frame must not be fragmented")]
    ControlFragmented,
    /// A continuation frame with nothing to continue (section 5.4).
    #[error("continuation frame must follow a fragment")]
    NothingToContinue,
    /// A new message before the last one was complete (section 5.4).
    #[error("fragmented message must be continued before another one starts")]
    Unfinished,
    /// A length that fits a shorter form (section 5.2).
    #[error("length must use the shortest form")]
    LengthNotMinimal,
    /// A 64-bit length with the highest bit set (section 5.2).
    #[error("length must be below 2^63")]
    LengthTooBig,
    /// A close body of one byte (section 5.5.1).
    #[error("close body must be empty or start with a code of two bytes")]
    CloseBodyTooShort,
    /// A close code that must not be sent (section 7.4).
    #[error("close code {0} must not be sent")]
    InvalidCloseCode(u16),
    /// A text message or a close reason that is not UTF-8 (section 8.1).
    #[error("text must be UTF-8")]
    InvalidUtf8,
    /// A message over [`Limits::message_max`](super::Limits).
    #[error("message of {len} bytes exceeds limit of {max}")]
    MessageTooBig {
        /// Length of the message as far as it was announced.
        len: u64,
        /// The limit.
        max: usize,
    },
    /// A message over [`Limits::fragments_max`](super::Limits).
    #[error("message exceeds limit of {max} fragments")]
    TooManyFragments {
        /// The limit.
        max: u32,
    },
}

impl ProtocolError {
    /// The code to close the connection with (RFC 6455 section 7.4.1).
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::InvalidUtf8 => CloseCode::INVALID_PAYLOAD,
            Self::MessageTooBig { .. } | Self::TooManyFragments { .. } => CloseCode::TOO_BIG,
            Self::Unmasked
            | Self::Masked
            | Self::ReservedBits
            | Self::ReservedOpcode(_)
            | Self::ControlTooLong
            | Self::ControlFragmented
            | Self::NothingToContinue
            | Self::Unfinished
            | Self::LengthNotMinimal
            | Self::LengthTooBig
            | Self::CloseBodyTooShort
            | Self::InvalidCloseCode(_) => CloseCode::PROTOCOL_ERROR,
        }
    }
}
