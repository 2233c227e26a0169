//! The routes of sessions.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, RawPathParams, State};
use axum::response::{IntoResponse, Response};
use hither_auth::Level;
use hither_core::{SessionId, WindowSize};
use http::StatusCode;
use http::header::LOCATION;
use http::request::Parts;
use serde_json::{Value, json};

use super::access::Access;
use super::app::App;
use super::body::{INPUT_BODY_BYTES_MAX, JsonBody};
use super::handle::level;
use super::problem::Problem;
use super::session_json::{InputJson, NewSessionJson, SessionJson, SizeJson};
use crate::audit::Event;
use crate::sessions::SessionError;

/// The session id in a path. A text that is none names no session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdInPath(pub(crate) SessionId);

impl<S: Send + Sync> FromRequestParts<S> for IdInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| SessionError::NotFound)?;
        let id = params.iter().find(|(name, _)| *name == "id");
        let id = id.and_then(|(_, value)| value.parse().ok());
        id.map(Self).ok_or_else(|| SessionError::NotFound.into())
    }
}

/// `GET /api/sessions`
pub(crate) async fn list(State(app): State<Arc<App>>, access: Access) -> Json<Vec<SessionJson>> {
    let sessions = app.sessions(access.principal()).list();
    Json(sessions.into_iter().map(SessionJson::from).collect())
}

/// `POST /api/sessions`
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(body): JsonBody<NewSessionJson>,
) -> Result<Response, Problem> {
    let new = body.parse(&app.config.shell)?;
    let info = app.sessions(access.principal()).create(new).await?;
    app.note(&access.actor(), &Event::SessionCreated(info.id));
    let location = [(LOCATION, format!("/api/sessions/{}", info.id))];
    Ok((StatusCode::CREATED, location, Json(SessionJson::from(info))).into_response())
}

/// `GET /api/sessions/{id}`
pub(crate) async fn find(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
) -> Result<Json<SessionJson>, Problem> {
    Ok(Json(app.session(access.principal(), id, level::Read)?.info()?.into()))
}

/// `DELETE /api/sessions/{id}`
pub(crate) async fn close(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
) -> Result<Json<Value>, Problem> {
    let session = app.session(access.principal(), id, level::Own)?;
    let closed = Event::SessionClosed(id);
    if session.held() == Level::Admin {
        app.note_first(&access.actor(), &closed).await?;
        session.close().await?;
    } else {
        session.close().await?;
        app.note(&access.actor(), &closed);
    }
    Ok(Json(json!({ "success": true, "message": "session closed", "id": id.as_str() })))
}

/// `POST /api/sessions/{id}/resize`
pub(crate) async fn resize(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
    JsonBody(body): JsonBody<SizeJson>,
) -> Result<Json<Value>, Problem> {
    let size = body.parse()?;
    app.session(access.principal(), id, level::Write)?.resize(size).await?;
    Ok(Json(json!({ "success": true, "cols": size.cols(), "rows": size.rows() })))
}

/// `POST /api/sessions/{id}/reset-size`
pub(crate) async fn reset_size(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
) -> Result<Json<Value>, Problem> {
    let session = app.session(access.principal(), id, level::Write)?;
    session.reset_size().await?;
    let size = session.info().map_or(WindowSize::DEFAULT, |info| info.size);
    Ok(Json(json!({ "success": true, "cols": size.cols(), "rows": size.rows() })))
}

/// `POST /api/sessions/{id}/input`
pub(crate) async fn input(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
    JsonBody(body): JsonBody<InputJson, INPUT_BODY_BYTES_MAX>,
) -> Result<Json<Value>, Problem> {
    let missing = || Problem::bad_request("invalid_input", "data must be there, a text");
    let bytes = body.data.ok_or_else(missing)?.into_bytes();
    let sent = bytes.len();
    app.session(access.principal(), id, level::Write)?.input(bytes).await?;
    Ok(Json(json!({ "success": true, "bytes": sent })))
}

/// `POST /api/cleanup-exited`
pub(crate) async fn remove_exited(State(app): State<Arc<App>>, access: Access) -> Json<Value> {
    let count = app.sessions(access.principal()).remove_exited().await;
    let message = format!("cleaned up {count} exited sessions");
    Json(json!({ "success": true, "message": message, "count": count }))
}
