//! Who is attached to a session, and what its owner does about it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, RawPathParams, State};
use hither_auth::{Level, Way};
use hither_core::SessionId;
use hither_protocol::websocket::CloseCode;
use http::StatusCode;
use http::request::Parts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::Access;
use super::app::App;
use super::body::JsonBody;
use super::handle::level;
use super::problem::Problem;
use super::session_routes::IdInPath;
use super::time::rfc3339;
use crate::audit::Event;
use crate::pass::Pass;
use crate::sessions::{SessionError, ViewerProtocol};

/// The last number in a path: a viewer's or a share link's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NumberInPath(pub(crate) u64);

impl<S: Send + Sync> FromRequestParts<S> for NumberInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| Problem::not_found())?;
        let number = params.iter().find(|(name, _)| *name == "number");
        let number = number.and_then(|(_, value)| value.parse().ok());
        number.map(Self).ok_or_else(Problem::not_found)
    }
}

/// What a viewer may do.
#[derive(Default, Deserialize, JsonSchema)]
pub(crate) struct LevelBody {
    /// `read` or `write`.
    #[schemars(required)]
    pub(super) level: Option<String>,
}

/// An attached viewer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Viewer")]
pub(crate) struct ViewerJson {
    /// Its number.
    viewer: u64,
    /// Name of its user, or what its share link is called.
    name: String,
    /// The way by which it came in.
    via: &'static str,
    /// Number of its share link, if it came by one.
    share: Option<u64>,
    /// `operator` or `observer`.
    role: &'static str,
    /// What is spoken with it.
    protocol: &'static str,
    /// When it came (RFC 3339).
    since: String,
    /// Where it is; only the owner sees it, and a Unix socket has none.
    address: Option<String>,
}

/// `GET /api/sessions/{id}/viewers`
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
) -> Result<Json<Vec<ViewerJson>>, Problem> {
    let session = app.session(access.principal(), id, level::Read)?;
    let is_owner = session.held() >= Level::Own;
    let viewers = app.passes.of_session(id);
    Ok(Json(viewers.iter().map(|pass| ViewerJson::of(pass, is_owner)).collect()))
}

/// `PATCH /api/sessions/{id}/viewers/{number}`: whether a viewer may type.
pub(crate) async fn set_level(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
    NumberInPath(number): NumberInPath,
    JsonBody(body): JsonBody<LevelBody>,
) -> Result<Json<ViewerJson>, Problem> {
    let session = app.session(access.principal(), id, level::Own)?;
    let level = read_or_write(body.level.as_deref())?;
    let pass = find(&app, session.id(), number)?;
    app.note_first(&access.actor(), &level_set(id, &pass, level)).await?;
    pass.set_level(level);
    app.judge(&pass);
    Ok(Json(ViewerJson::of(&pass, true)))
}

/// `DELETE /api/sessions/{id}/viewers/{number}`: sends a viewer away.
pub(crate) async fn send_away(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
    NumberInPath(number): NumberInPath,
) -> Result<StatusCode, Problem> {
    let session = app.session(access.principal(), id, level::Own)?;
    let pass = find(&app, session.id(), number)?;
    let name = pass.principal().name().to_owned();
    app.note_first(&access.actor(), &Event::SentAway(id, name)).await?;
    session.send_away(&pass, CloseCode::FORBIDDEN, "you were sent away");
    Ok(StatusCode::NO_CONTENT)
}

/// A level that an owner may give to others.
pub(crate) fn read_or_write(word: Option<&str>) -> Result<Level, Problem> {
    match word {
        Some("read") => Ok(Level::Read),
        Some("write") => Ok(Level::Write),
        Some(_) | None => Err(Problem::bad_request("invalid_level", "level must be read or write")),
    }
}

fn find(app: &App, session: SessionId, number: u64) -> Result<Arc<Pass>, Problem> {
    let mut viewers = app.passes.of_session(session).into_iter();
    let pass = viewers.find(|pass| pass.viewer().0 == number);
    pass.ok_or_else(|| SessionError::NoViewer.into())
}

fn level_set(id: SessionId, pass: &Pass, level: Level) -> Event {
    Event::LevelSet(id, pass.principal().name().to_owned(), Some(level))
}

impl ViewerJson {
    fn of(pass: &Pass, is_owner: bool) -> Self {
        let principal = pass.principal();
        let protocol = match pass.protocol() {
            ViewerProtocol::Hither => "hither.v1",
            ViewerProtocol::Ttyd => "tty",
            ViewerProtocol::Plan => "plan",
            ViewerProtocol::Raw => "stream",
        };
        let share = match (principal.who(), principal.way()) {
            (hither_auth::Who::Link(id), Way::Link) => Some(id.0),
            _ => None,
        };
        Self {
            viewer: pass.viewer().0,
            name: principal.name().to_owned(),
            via: principal.way().as_str(),
            share,
            role: pass.role().as_str(),
            protocol,
            since: rfc3339(pass.since()),
            // Where somebody sits is the owner's business only.
            address: pass.address().filter(|_| is_owner).map(|address| address.to_string()),
        }
    }
}
