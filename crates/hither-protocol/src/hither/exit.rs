//! How a session ended.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{FrameError, json};

/// What became of the child: `docs/protocol.md` section 7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It exited with this status.
    Code(u8),
    /// A signal ended it.
    Signal {
        /// Number of the signal, 1 to 64 on Linux.
        number: u8,
        /// Its name, such as `SIGKILL`.
        name: String,
    },
    /// It ended, but its status could not be learned.
    Unknown,
    /// The session cannot be reached: the PTY host died with it, or could not hand it over.
    Lost,
}

#[derive(Default, Deserialize, Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<u8>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<bool>,
}

impl Exit {
    pub(super) fn decode(body: &[u8]) -> Result<Self, FrameError> {
        let body: Body<'_> = json::decode("exit", body)?;
        match (body.code, body.signal, body.unknown, body.lost) {
            (Some(code), None, None, None) => Ok(Self::Code(code)),
            (None, Some(number), None, None) => Ok(Self::Signal {
                number,
                name: body
                    .name
                    .ok_or_else(|| json::invalid("exit", "expected the signal's name"))?
                    .into_owned(),
            }),
            (None, None, Some(true), None) => Ok(Self::Unknown),
            (None, None, None, Some(true)) => Ok(Self::Lost),
            _ => Err(json::invalid("exit", "expected one of code, signal, unknown and lost")),
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let mut body = Body::default();
        match self {
            Self::Code(code) => body.code = Some(*code),
            Self::Signal { number, name } => {
                body.signal = Some(*number);
                body.name = Some(name.into());
            }
            Self::Unknown => body.unknown = Some(true),
            Self::Lost => body.lost = Some(true),
        }
        json::encode(&body, out);
    }
}
