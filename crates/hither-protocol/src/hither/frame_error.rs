//! Why bytes are not a frame.

use crate::websocket::CloseCode;

/// A message that is not a well-formed frame. An unknown frame type is not an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A message without a type byte.
    #[error("frame must start with a type")]
    Empty,
    /// A body that is too short, too long, or not of the one length that the type has.
    #[error("body of {len} bytes is no {frame}")]
    BodyLength {
        /// Name of the frame type.
        frame: &'static str,
        /// Length of the body.
        len: usize,
    },
    /// A number outside its range, which ends below 2^53 at the latest.
    #[error("{field} must be {expected}")]
    OutOfRange {
        /// What the number is.
        field: &'static str,
        /// What it may be.
        expected: &'static str,
    },
    /// A body that is not the JSON object that it has to be.
    #[error("body of {frame} must be its JSON object: {detail}")]
    Json {
        /// Name of the frame type.
        frame: &'static str,
        /// What the parser expected, for logs only.
        detail: String,
    },
}

impl FrameError {
    /// The code to close the connection with.
    #[must_use]
    pub const fn close_code(&self) -> CloseCode {
        CloseCode::BAD_FRAME
    }
}
