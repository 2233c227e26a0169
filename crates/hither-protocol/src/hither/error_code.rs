//! Errors that end a connection.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{FrameError, json};
use crate::websocket::CloseCode;

/// The body of an `error` frame. A close frame follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError {
    /// What programs decide by.
    pub code: ErrorCode,
    /// What people read. It names the limit or the thing, and may change.
    pub message: String,
}

/// Stable error code: `docs/protocol.md` section 9.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// Malformed, out of order or unexpected frame.
    BadFrame,
    /// Credentials missing, wrong or withdrawn.
    Unauthenticated,
    /// The role does not allow this.
    Forbidden,
    /// No such session.
    SessionNotFound,
    /// No hello in time.
    HelloTimeout,
    /// The session was closed by someone.
    SessionClosed,
    /// A limit is reached.
    TooManyViewers,
    /// A code that a later version knows.
    Other(String),
}

#[derive(Deserialize, Serialize)]
struct Body<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
    #[serde(borrow)]
    message: Cow<'a, str>,
}

impl WireError {
    pub(super) fn decode(body: &[u8]) -> Result<Self, FrameError> {
        let body: Body<'_> = json::decode("error", body)?;
        Ok(Self { code: ErrorCode::from_word(&body.code), message: body.message.into_owned() })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let body = Body { code: self.code.as_str().into(), message: self.message.as_str().into() };
        json::encode(&body, out);
    }
}

impl ErrorCode {
    const KNOWN: [Self; 7] = [
        Self::BadFrame,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::SessionNotFound,
        Self::HelloTimeout,
        Self::SessionClosed,
        Self::TooManyViewers,
    ];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::BadFrame => "bad_frame",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::SessionNotFound => "session_not_found",
            Self::HelloTimeout => "hello_timeout",
            Self::SessionClosed => "session_closed",
            Self::TooManyViewers => "too_many_viewers",
            Self::Other(word) => word,
        }
    }

    /// The close code that follows the error; `None` for a code of a later version.
    #[must_use]
    pub const fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::BadFrame => Some(CloseCode::BAD_FRAME),
            Self::Unauthenticated => Some(CloseCode::UNAUTHENTICATED),
            Self::Forbidden => Some(CloseCode::FORBIDDEN),
            Self::SessionNotFound => Some(CloseCode::SESSION_NOT_FOUND),
            Self::HelloTimeout => Some(CloseCode::HELLO_TIMEOUT),
            Self::SessionClosed => Some(CloseCode::SESSION_CLOSED),
            Self::TooManyViewers => Some(CloseCode::TOO_MANY_VIEWERS),
            Self::Other(_) => None,
        }
    }

    fn from_word(word: &str) -> Self {
        Self::KNOWN
            .into_iter()
            .find(|code| code.as_str() == word)
            .unwrap_or_else(|| Self::Other(word.to_owned()))
    }
}
