//! Close frames and their codes.

use std::fmt;

use super::ProtocolError;
use crate::InlineBytes;

/// Why a connection is closed: RFC 6455 section 7.4.1 and `docs/protocol.md` section 9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(u16);

/// Body of a close frame, ready to be sent: at most 125 bytes.
pub type ClosePayload = InlineBytes<125>;

/// A close frame of the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseFrame<'a> {
    /// The peer's code; `None` when the body was empty.
    pub code: Option<CloseCode>,
    /// The peer's reason, at most 123 bytes, for logs only.
    pub reason: &'a str,
}

/// Whether a client comes back after a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconnect {
    /// It would get the same answer again.
    Never,
    /// With exponential backoff, beginning at once.
    Soon,
    /// With exponential backoff, but not at once: the server is full.
    Later,
}

impl CloseCode {
    /// The session ended; all output and `exit` were delivered.
    pub const NORMAL: Self = Self(1000);
    /// The page goes away.
    pub const GOING_AWAY: Self = Self(1001);
    /// The peer violated RFC 6455.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// A text message where only binary ones are understood.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// A text message that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// A violation that has no code of its own.
    pub const POLICY: Self = Self(1008);
    /// A message over the limit.
    pub const TOO_BIG: Self = Self(1009);
    /// The server failed.
    pub const INTERNAL: Self = Self(1011);
    /// The gateway stops or restarts; the session lives on.
    pub const RESTART: Self = Self(1012);
    /// Malformed, out of order or unexpected frame.
    pub const BAD_FRAME: Self = Self(4400);
    /// Credentials missing, wrong or withdrawn.
    pub const UNAUTHENTICATED: Self = Self(4401);
    /// The role does not allow this.
    pub const FORBIDDEN: Self = Self(4403);
    /// No such session.
    pub const SESSION_NOT_FOUND: Self = Self(4404);
    /// No hello in time.
    pub const HELLO_TIMEOUT: Self = Self(4408);
    /// The session was closed by someone.
    pub const SESSION_CLOSED: Self = Self(4410);
    /// A limit is reached.
    pub const TOO_MANY_VIEWERS: Self = Self(4429);

    /// The code with this number, if it may be sent.
    ///
    /// 1004 to 1006 and 1015 are reserved, 1016 to 2999 and everything else below 3000 unassigned
    /// (RFC 6455 section 7.4 and the IANA registry, which has 1012 to 1014 as well).
    #[must_use]
    pub const fn from_number(number: u16) -> Option<Self> {
        match number {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(number)),
            _ => None,
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// What a client does after this code (`docs/protocol.md` section 9).
    #[must_use]
    pub const fn reconnect(self) -> Reconnect {
        match self {
            Self::TOO_MANY_VIEWERS => Reconnect::Later,
            Self::NORMAL
            | Self::PROTOCOL_ERROR
            | Self::UNSUPPORTED_DATA
            | Self::INVALID_PAYLOAD
            | Self::TOO_BIG
            | Self::BAD_FRAME
            | Self::UNAUTHENTICATED
            | Self::FORBIDDEN
            | Self::SESSION_NOT_FOUND
            | Self::SESSION_CLOSED => Reconnect::Never,
            _ => Reconnect::Soon,
        }
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The body of a close frame. A reason over 123 bytes is cut at the last character that fits.
#[must_use]
pub fn encode_close(code: CloseCode, reason: &str) -> ClosePayload {
    let mut payload = ClosePayload::new();
    payload.push(&code.0.to_be_bytes());
    payload.push(&reason.as_bytes()[..reason.floor_char_boundary(123)]);
    payload
}

/// Reads the body of a close frame (RFC 6455 section 5.5.1).
pub(super) fn decode_close(body: &[u8]) -> Result<CloseFrame<'_>, ProtocolError> {
    let Some((number, reason)) = body.split_first_chunk() else {
        return match body {
            [] => Ok(CloseFrame { code: None, reason: "" }),
            _ => Err(ProtocolError::CloseBodyTooShort),
        };
    };
    let number = u16::from_be_bytes(*number);
    let code = CloseCode::from_number(number).ok_or(ProtocolError::InvalidCloseCode(number))?;
    let reason = std::str::from_utf8(reason).map_err(|_| ProtocolError::InvalidUtf8)?;
    Ok(CloseFrame { code: Some(code), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_a_long_reason_between_characters() {
        let payload = encode_close(CloseCode::NORMAL, &"ä".repeat(100));
        assert_eq!(payload.as_bytes().len(), 2 + 122);
        let close = decode_close(payload.as_bytes()).unwrap();
        assert_eq!(close.code, Some(CloseCode::NORMAL));
        assert_eq!(close.reason, "ä".repeat(61));
    }

    #[test]
    fn tells_who_comes_back() {
        for (number, expect) in [
            (1000, Reconnect::Never),
            (1007, Reconnect::Never),
            (1012, Reconnect::Soon),
            (4400, Reconnect::Never),
            (4408, Reconnect::Soon),
            (4410, Reconnect::Never),
            (4429, Reconnect::Later),
            (4999, Reconnect::Soon),
        ] {
            let reconnect = CloseCode::from_number(number).map(CloseCode::reconnect);
            assert_eq!(reconnect, Some(expect), "{number}");
        }
    }

    #[test]
    fn refuses_codes_that_must_not_be_sent() {
        for number in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
            assert_eq!(
                decode_close(&u16::to_be_bytes(number)),
                Err(ProtocolError::InvalidCloseCode(number)),
            );
        }
    }

    #[test]
    fn accepts_every_code_of_the_registry() {
        for number in [1000, 1003, 1007, 1011, 1012, 1014, 3000, 4400, 4999] {
            let close = decode_close(&u16::to_be_bytes(number)).map(|close| close.code);
            assert_eq!(close, Ok(CloseCode::from_number(number)));
        }
    }

    #[test]
    fn refuses_a_body_of_one_byte_and_a_reason_that_is_not_utf8() {
        assert_eq!(decode_close(&[3]), Err(ProtocolError::CloseBodyTooShort));
        assert_eq!(decode_close(&[3, 0xe8, 0xff]), Err(ProtocolError::InvalidUtf8));
    }
}
