//! The first frame of a client.

use std::borrow::Cow;

use hither_core::{ClientId, Offset, Role, WindowSize};
use serde::{Deserialize, Serialize};

use super::fields::{WINDOW_SIZE, check_number};
use super::{FrameError, json};

/// What a client wants: `docs/protocol.md` section 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Whose input numbers are continued.
    pub client: ClientId,
    /// Continue at this offset; `None` attaches with a snapshot.
    pub resume: Option<Offset>,
    /// Size of the client's window; `None` does not take part in sizing.
    pub size: Option<WindowSize>,
    /// Wanted role.
    pub role: Role,
    /// Wanted features.
    pub features: Features,
}

/// Optional behaviour that a client asks for and a server grants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features(u8);

impl Features {
    /// No snapshots; skipped bytes are announced by gaps alone.
    pub const RAW: Self = Self(1);
    /// The program waits while this viewer is slow; nothing is skipped.
    pub const WAIT: Self = Self(2);
    /// The viewer is sent `termios` frames.
    pub const TERMIOS: Self = Self(4);

    const NAMES: [(Self, &str); 3] =
        [(Self::RAW, "raw"), (Self::WAIT, "wait"), (Self::TERMIOS, "termios")];

    /// No feature.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// These features and those.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These features except those.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of those features are among these.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The features with these names; unknown names are ignored.
    pub(super) fn from_names(names: &[Cow<'_, str>]) -> Self {
        Self::NAMES
            .into_iter()
            .filter(|(_, name)| names.iter().any(|other| other == name))
            .fold(Self::none(), |all, (feature, _)| all.with(feature))
    }

    /// The names of these features.
    pub(super) fn names(self) -> Vec<Cow<'static, str>> {
        Self::NAMES
            .into_iter()
            .filter(|(feature, _)| self.contains(*feature))
            .map(|(_, name)| Cow::Borrowed(name))
            .collect()
    }
}

#[derive(Deserialize, Serialize)]
struct Body<'a> {
    #[serde(borrow)]
    client: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cols: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    role: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    features: Vec<Cow<'a, str>>,
}

impl Hello {
    pub(super) fn decode(body: &[u8]) -> Result<Self, FrameError> {
        let body: Body<'_> = json::decode("hello", body)?;
        let resume = match body.resume {
            Some(offset) => Some(Offset(check_number("resume", offset)?)),
            None => None,
        };
        Ok(Self {
            client: parse_client(&body.client)?,
            resume,
            size: parse_size(body.cols, body.rows)?,
            role: match &body.role {
                Some(word) => parse_role("hello", word)?,
                None => Role::Operator,
            },
            features: Features::from_names(&body.features),
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let body = Body {
            client: format!("{:016x}", self.client.0).into(),
            resume: self.resume.map(|offset| offset.0),
            cols: self.size.map(|size| u64::from(size.cols())),
            rows: self.size.map(|size| u64::from(size.rows())),
            role: Some(self.role.as_str().into()),
            features: self.features.names(),
        };
        json::encode(&body, out);
    }
}

pub(super) fn parse_role(frame: &'static str, word: &str) -> Result<Role, FrameError> {
    [Role::Observer, Role::Operator]
        .into_iter()
        .find(|role| role.as_str() == word)
        .ok_or_else(|| json::invalid(frame, "role must be operator or observer"))
}

fn parse_client(hex: &str) -> Result<ClientId, FrameError> {
    let is_hex = hex.len() == 16 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    match u64::from_str_radix(hex, 16) {
        Ok(id) if is_hex => Ok(ClientId(id)),
        Ok(_) | Err(_) => Err(json::invalid("hello", "client must be 16 hex digits")),
    }
}

/// Both sides or none; clamped like those of a `resize`.
fn parse_size(cols: Option<u64>, rows: Option<u64>) -> Result<Option<WindowSize>, FrameError> {
    let narrow = |side: u64| u32::try_from(side).unwrap_or(u32::MAX);
    match (cols, rows) {
        (Some(cols), Some(rows)) => Ok(Some(WindowSize::clamped(narrow(cols), narrow(rows)))),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => Err(WINDOW_SIZE),
    }
}
