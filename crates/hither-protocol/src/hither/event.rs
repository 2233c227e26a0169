//! Things that happened and need no answer.

use std::borrow::Cow;

use hither_core::Role;
use serde::{Deserialize, Serialize};

use super::hello::parse_role;
use super::{FrameError, json};

/// Something that happened in a session: `docs/protocol.md` section 7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The title changed. It is text from the program, never markup.
    Title(String),
    /// The bell rang.
    Bell,
    /// How many viewers are attached now.
    Viewers(u32),
    /// What this viewer may do from now on.
    Role(Role),
    /// An event of this type, which a later version knows.
    Unknown(String),
}

#[derive(Deserialize, Serialize)]
struct Body<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

#[derive(Deserialize, Serialize)]
struct TitleBody<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    title: Cow<'a, str>,
}

#[derive(Deserialize, Serialize)]
struct ViewersBody<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    count: u32,
}

#[derive(Deserialize, Serialize)]
struct RoleBody<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    role: Cow<'a, str>,
}

impl Event {
    pub(super) fn decode(body: &[u8]) -> Result<Self, FrameError> {
        let Body { kind } = json::decode("event", body)?;
        Ok(match &*kind {
            "title" => {
                let body: TitleBody<'_> = json::decode("event", body)?;
                Self::Title(body.title.into_owned())
            }
            "bell" => Self::Bell,
            "viewers" => {
                let body: ViewersBody<'_> = json::decode("event", body)?;
                Self::Viewers(body.count)
            }
            "role" => {
                let body: RoleBody<'_> = json::decode("event", body)?;
                Self::Role(parse_role("event", &body.role)?)
            }
            _ => Self::Unknown(kind.into_owned()),
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let kind = self.type_name().into();
        match self {
            Self::Title(title) => json::encode(&TitleBody { kind, title: title.into() }, out),
            Self::Viewers(count) => json::encode(&ViewersBody { kind, count: *count }, out),
            Self::Role(role) => {
                json::encode(&RoleBody { kind, role: role.as_str().into() }, out);
            }
            Self::Bell | Self::Unknown(_) => json::encode(&Body { kind }, out),
        }
    }

    /// The member `type`.
    fn type_name(&self) -> &str {
        match self {
            Self::Title(_) => "title",
            Self::Bell => "bell",
            Self::Viewers(_) => "viewers",
            Self::Role(_) => "role",
            Self::Unknown(name) => name,
        }
    }
}
