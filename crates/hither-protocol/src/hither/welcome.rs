//! The server's answer to `hello`.

use std::borrow::Cow;

use hither_core::{InputNumber, Offset, Role, SessionId, ViewerId, WindowSize};
use serde::{Deserialize, Serialize};

use super::fields::{WINDOW_SIZE, check_number};
use super::hello::parse_role;
use super::{Features, FrameError, json};

/// What a viewer got: `docs/protocol.md` section 6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// The session.
    pub session: SessionId,
    /// This viewer.
    pub viewer: ViewerId,
    /// Whether the output continues exactly where the client asked.
    pub resumed: bool,
    /// Where output or the snapshot will start.
    pub offset: Offset,
    /// Highest input number of this client id that was accepted.
    pub accepted: InputNumber,
    /// Window size.
    pub size: WindowSize,
    /// Who owns the window size.
    pub owner: ViewerId,
    /// Granted role.
    pub role: Role,
    /// Granted features.
    pub features: Features,
    /// Session title, may be empty.
    pub title: String,
    /// Whether the child still runs.
    pub state: SessionState,
}

/// Whether the child of a session still runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// It runs.
    Running,
    /// It has exited; an `exit` frame follows the rest of the output.
    Exited,
}

#[derive(Deserialize, Serialize)]
struct Body<'a> {
    #[serde(borrow)]
    session: Cow<'a, str>,
    viewer: u64,
    resumed: bool,
    offset: u64,
    accepted: u64,
    cols: u32,
    rows: u32,
    owner: u64,
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    features: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    title: Cow<'a, str>,
    #[serde(borrow)]
    state: Cow<'a, str>,
}

impl Welcome {
    pub(super) fn decode(body: &[u8]) -> Result<Self, FrameError> {
        let body: Body<'_> = json::decode("welcome", body)?;
        let invalid = |detail: &str| json::invalid("welcome", detail);
        Ok(Self {
            session: body.session.parse().map_err(|_| invalid("session must be a session id"))?,
            viewer: ViewerId(check_number("viewer", body.viewer)?),
            resumed: body.resumed,
            offset: Offset(check_number("offset", body.offset)?),
            accepted: InputNumber(check_number("accepted", body.accepted)?),
            size: WindowSize::new(body.cols, body.rows).map_err(|_| WINDOW_SIZE)?,
            owner: ViewerId(check_number("owner", body.owner)?),
            role: parse_role("welcome", &body.role)?,
            features: Features::from_names(&body.features),
            title: body.title.into_owned(),
            state: [SessionState::Running, SessionState::Exited]
                .into_iter()
                .find(|state| state.as_str() == body.state)
                .ok_or_else(|| invalid("state must be running or exited"))?,
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let body = Body {
            session: self.session.as_str().into(),
            viewer: self.viewer.0,
            resumed: self.resumed,
            offset: self.offset.0,
            accepted: self.accepted.0,
            cols: u32::from(self.size.cols()),
            rows: u32::from(self.size.rows()),
            owner: self.owner.0,
            role: self.role.as_str().into(),
            features: self.features.names(),
            title: self.title.as_str().into(),
            state: self.state.as_str().into(),
        };
        json::encode(&body, out);
    }
}

impl SessionState {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Exited => "exited",
        }
    }
}
